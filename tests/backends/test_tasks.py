"""The output of a seal task is used only if it belongs to that task."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from housectl.backends.base import Task
from housectl.backends.local.backend import LocalBackend
from housectl.backends.local.run_directory import RunDirectory
from housectl.cli.progress import PlainProgress
from housectl.contract.evidence import EVIDENCE_FILE
from housectl.contract.inputs import Inputs, SharedRecipe, write_inputs
from housectl.contract.schema import Schema, Target
from housectl.errors import BundleError
from housectl.seal_tasks import SealTaskRunner
from tests.backends.workloads import seal_task

pytestmark = pytest.mark.slow

TASK = seal_task("seal", {"n_estimators": 5})


class InterruptedUseError(Exception):
    """The caller fails before it has stored the output."""


@pytest.fixture
def runner(tmp_path: Path) -> SealTaskRunner:
    return SealTaskRunner(
        backend=LocalBackend(tmp_path / "runs"),
        progress=PlainProgress(),
        temp_root=tmp_path / "scratch",
    )


def seal_and_interrupt(runner: SealTaskRunner, task: Task, inputs: Inputs) -> None:
    with pytest.raises(InterruptedUseError), runner.run_seal_task(task, inputs):
        raise InterruptedUseError


def output_of(runner: SealTaskRunner, task: Task) -> Path:
    return RunDirectory(Path(runner.backend.handle(task.name).url.removeprefix("local://"))).output(
        None
    )


def other_seed(shared: SharedRecipe) -> tuple[Schema, int]:
    return shared.schema, shared.seed + 1


def other_unit(shared: SharedRecipe) -> tuple[Schema, int]:
    target = Target(name=shared.schema.target.name, unit="euro")
    return Schema(features=shared.schema.features, target=target), shared.seed


def test_output_is_reused_after_interruption(runner: SealTaskRunner, inputs: Inputs) -> None:
    seal_and_interrupt(runner, TASK, inputs)
    inode = output_of(runner, TASK).stat().st_ino
    seal_and_interrupt(runner, TASK, inputs)
    assert output_of(runner, TASK).stat().st_ino == inode
    with runner.run_seal_task(TASK, inputs) as sealed:
        assert sealed.bundle.record.recipe.assignment == TASK.assignment
    assert not list((runner.temp_root.parent / "runs").glob("[!.]*"))


def test_output_of_other_assignment_is_rejected(runner: SealTaskRunner, inputs: Inputs) -> None:
    other = replace(TASK, name="other", assignment={"n_estimators": 6})
    seal_and_interrupt(runner, other, inputs)
    assert_rejected(runner, inputs, output_of(runner, other))


@pytest.mark.parametrize("change", [other_seed, other_unit])
def test_output_of_other_inputs_is_rejected(
    runner: SealTaskRunner,
    inputs: Inputs,
    tmp_path: Path,
    change: Callable[[SharedRecipe], tuple[Schema, int]],
) -> None:
    schema, seed = change(inputs.shared)
    other_inputs = write_inputs(
        tmp_path / "inputs", inputs.data, schema=schema, split=inputs.shared.split, seed=seed
    )
    other = replace(TASK, name="other")
    seal_and_interrupt(runner, other, other_inputs)
    assert_rejected(runner, inputs, output_of(runner, other))


def test_damaged_output_is_rejected(runner: SealTaskRunner, inputs: Inputs, tmp_path: Path) -> None:
    seal_and_interrupt(runner, TASK, inputs)
    damaged = tmp_path / "damaged"
    shutil.copytree(output_of(runner, TASK), damaged)
    (damaged / "bundle" / "model.onnx").write_bytes(b"no graph")
    assert_rejected(runner, inputs, damaged)


def test_evidence_of_other_recipe_is_rejected(
    runner: SealTaskRunner, inputs: Inputs, tmp_path: Path
) -> None:
    other = replace(TASK, name="other", assignment={"n_estimators": 6})
    seal_and_interrupt(runner, TASK, inputs)
    seal_and_interrupt(runner, other, inputs)
    mixed = tmp_path / "mixed"
    shutil.copytree(output_of(runner, TASK), mixed)
    shutil.copy(output_of(runner, other) / EVIDENCE_FILE, mixed)
    assert_rejected(runner, inputs, mixed)


def assert_rejected(runner: SealTaskRunner, inputs: Inputs, other: Path) -> None:
    """Assert that the task rejects another output in the place of its own."""
    seal_and_interrupt(runner, TASK, inputs)
    output = output_of(runner, TASK)
    shutil.rmtree(output)
    shutil.copytree(other, output)
    with pytest.raises(BundleError) as caught, runner.run_seal_task(TASK, inputs):
        raise InterruptedUseError
    assert caught.value.hint.startswith("housectl delete seal ")
    runner.backend.delete(runner.backend.handle(TASK.name))
    with runner.run_seal_task(TASK, inputs) as sealed:
        assert sealed.bundle.record.schema == inputs.shared.schema
