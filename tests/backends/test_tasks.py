"""What a sealing task has made is taken only if it is that task's."""

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
from housectl.tasks import TaskRunner
from tests.backends.workloads import sealing

TASK = sealing("seal", {"n_estimators": 5})


class FullDiskError(Exception):
    """What was made cannot be kept."""


@pytest.fixture
def runner(tmp_path: Path) -> TaskRunner:
    return TaskRunner(
        backend=LocalBackend(tmp_path / "runs"),
        progress=PlainProgress(),
        temp_root=tmp_path / "scratch",
    )


def seal_in_vain(runner: TaskRunner, task: Task, inputs: Inputs) -> None:
    with pytest.raises(FullDiskError), runner.run_seal_task(task, inputs):
        raise FullDiskError


def output_of(runner: TaskRunner, task: Task) -> Path:
    return RunDirectory(Path(runner.backend.handle(task.name).url.removeprefix("local://"))).output(
        None
    )


def with_seed(shared: SharedRecipe) -> tuple[Schema, int]:
    return shared.schema, shared.seed + 1


def with_unit(shared: SharedRecipe) -> tuple[Schema, int]:
    target = Target(name=shared.schema.target.name, unit="euro")
    return Schema(features=shared.schema.features, target=target), shared.seed


def test_what_could_not_be_kept_is_found_again(runner: TaskRunner, inputs: Inputs) -> None:
    seal_in_vain(runner, TASK, inputs)
    made = output_of(runner, TASK).stat().st_ino
    seal_in_vain(runner, TASK, inputs)
    assert output_of(runner, TASK).stat().st_ino == made
    with runner.run_seal_task(TASK, inputs) as sealed:
        assert sealed.bundle.record.recipe.assignment == TASK.assignment
    assert not list((runner.temp_root.parent / "runs").glob("[!.]*"))


def test_another_assignments_output_is_refused(runner: TaskRunner, inputs: Inputs) -> None:
    other = replace(TASK, name="other", assignment={"n_estimators": 6})
    seal_in_vain(runner, other, inputs)
    assert_refused(runner, inputs, output_of(runner, other))


@pytest.mark.parametrize("changed", [with_seed, with_unit])
def test_the_output_of_other_inputs_is_refused(
    runner: TaskRunner,
    inputs: Inputs,
    tmp_path: Path,
    changed: Callable[[SharedRecipe], tuple[Schema, int]],
) -> None:
    schema, seed = changed(inputs.shared)
    others = write_inputs(
        tmp_path / "inputs", inputs.data, schema=schema, split=inputs.shared.split, seed=seed
    )
    other = replace(TASK, name="other")
    seal_in_vain(runner, other, others)
    assert_refused(runner, inputs, output_of(runner, other))


def test_a_damaged_output_is_refused(runner: TaskRunner, inputs: Inputs, tmp_path: Path) -> None:
    seal_in_vain(runner, TASK, inputs)
    damaged = tmp_path / "damaged"
    shutil.copytree(output_of(runner, TASK), damaged)
    (damaged / "bundle" / "model.onnx").write_bytes(b"no graph")
    assert_refused(runner, inputs, damaged)


def test_evidence_of_another_recipe_is_refused(
    runner: TaskRunner, inputs: Inputs, tmp_path: Path
) -> None:
    other = replace(TASK, name="other", assignment={"n_estimators": 6})
    seal_in_vain(runner, TASK, inputs)
    seal_in_vain(runner, other, inputs)
    mixed = tmp_path / "mixed"
    shutil.copytree(output_of(runner, TASK), mixed)
    shutil.copy(output_of(runner, other) / EVIDENCE_FILE, mixed)
    assert_refused(runner, inputs, mixed)


def assert_refused(runner: TaskRunner, inputs: Inputs, other: Path) -> None:
    """Put what lies elsewhere in the place of the task's output."""
    seal_in_vain(runner, TASK, inputs)
    output = output_of(runner, TASK)
    shutil.rmtree(output)
    shutil.copytree(other, output)
    with pytest.raises(BundleError) as caught, runner.run_seal_task(TASK, inputs):
        raise FullDiskError
    assert caught.value.hint.startswith("housectl delete seal ")
    runner.backend.delete(runner.backend.handle(TASK.name))
    with runner.run_seal_task(TASK, inputs) as sealed:
        assert sealed.bundle.record.schema == inputs.shared.schema
