"""The public Python API: `import housectl`."""

import ast
import doctest
import inspect
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

import housectl
import housectl.api.functions
import housectl.api.project
import housectl.api.store_functions
import housectl.file_prediction
import housectl.sealed_model
import housectl.submitted_experiment
from housectl.contract.bundle import Bundle
from housectl.errors import DataError, NoChampionError, ProjectError, UsageError
from tests.spaces import GOOD
from tools.project_directory import ROOT, ProjectDirectory, example

pytestmark = pytest.mark.slow

IMPORT_SECONDS = 0.030
DOCUMENTED = (
    housectl,
    housectl.api.functions,
    housectl.api.project,
    housectl.api.store_functions,
    housectl.submitted_experiment,
    housectl.sealed_model,
    housectl.file_prediction,
)
CLASSES = (housectl.Project, housectl.SubmittedExperiment, housectl.SealedModel)
WITHOUT_EXAMPLE = {
    # They need a server, a cluster or a registry.
    *("serve", "verify", "drift", "wait_until_serving", "cluster_setup"),
    *("sync_registry", "registry_status"),
    # It builds an environment.
    "reproduce",
    # They need a setting.
    *("api_keys", "add_api_key", "remove_api_key"),
}


def examples() -> list[doctest.DocTest]:
    finder = doctest.DocTestFinder()
    found = chain.from_iterable(finder.find(module) for module in DOCUMENTED)
    return [docstring for docstring in found if docstring.examples]


def public_methods(kind: type) -> Iterator[tuple[str, object]]:
    for name, member in vars(kind).items():
        if not name.startswith("_") and (callable(member) or isinstance(member, property)):
            yield name, member


@pytest.fixture
def directory(
    project_with_challenger: ProjectDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> ProjectDirectory:
    copy = project_with_challenger.copy(tmp_path / "boston")
    monkeypatch.chdir(copy.path)
    return copy


@pytest.fixture
def project(directory: ProjectDirectory) -> housectl.Project:
    return housectl.open(directory.path)


@pytest.mark.parametrize("name", housectl.__all__)
def test_public_name_has_docstring(name: str) -> None:
    value = getattr(housectl, name)
    functions = {
        *("check_store", "copy_store", "documentation_url", "error_url", "explain", "init"),
        *("init_github", "open"),
    }
    assert inspect.isroutine(value) is (name in functions)
    if callable(value) or inspect.ismodule(value):
        assert value.__doc__


def test_all_lists_imports_for_type_checkers() -> None:
    tree = ast.parse(Path(housectl.__file__).read_text())
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("housectl")
        for alias in node.names
    }
    assert set(housectl.__all__) == imported
    assert dir(housectl) == sorted(housectl.__all__)


def test_unknown_name_raises_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Pipeline'"):
        _ = housectl.Pipeline  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_public_method_has_docstring(kind: type) -> None:
    for name, member in public_methods(kind):
        assert inspect.getdoc(member), name


def test_operation_of_project_has_example() -> None:
    documented = {example.name.rpartition(".")[2] for example in examples()}
    operations = {
        name for name, member in public_methods(housectl.Project) if inspect.isfunction(member)
    }
    assert operations - WITHOUT_EXAMPLE <= documented


@pytest.mark.parametrize("docstring", examples(), ids=lambda docstring: docstring.name)
@pytest.mark.usefixtures("directory")
def test_example_runs(docstring: doctest.DocTest, capfd: pytest.CaptureFixture[str]) -> None:
    docstring.globs["project"] = housectl.open()
    runner = doctest.DocTestRunner(verbose=False)
    runner.run(docstring)
    assert runner.failures == 0, capfd.readouterr().out
    assert capfd.readouterr() == ("", "")


def test_import_is_fast() -> None:
    code = "import time; import housectl; print(time.process_time())"
    bare = "import time; print(time.process_time())"
    assert cpu_seconds(code) - cpu_seconds(bare) <= IMPORT_SECONDS


def cpu_seconds(code: str) -> float:
    """Return the least CPU time of several runs."""
    command = [sys.executable, "-c", code]
    return min(
        float(subprocess.run(command, capture_output=True, check=True).stdout) for _ in range(5)
    )


def test_history_needs_no_valid_project_file(directory: ProjectDirectory) -> None:
    (directory.path / "housectl.yaml").write_text("nonsense: true\n")
    project = housectl.open(directory.path)
    assert len(project.history()) == 1
    with pytest.raises(ProjectError, match="nonsense"):
        project.plan()


def test_settings_replace_those_of_the_file(directory: ProjectDirectory) -> None:
    project = housectl.open(directory.path, settings={"budget.trials": 7})
    assert project.config.budget.trials == 7
    invalid = housectl.open(directory.path, settings={"budget.trials": 0})
    with pytest.raises(UsageError, match=r"setting budget\.trials"):
        _ = invalid.config


def test_store_replaces_that_of_the_file(directory: ProjectDirectory, tmp_path: Path) -> None:
    project = housectl.open(directory.path, store=tmp_path / "empty")
    assert project.history() == ()
    with pytest.raises(NoChampionError) as caught:
        project.champion()
    assert "housectl promote" in caught.value.hint


def test_missing_project_raises_project_error(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"housectl\.yaml"):
        housectl.open(tmp_path)


def golden_rows(bundle: Bundle) -> list[dict[str, float]]:
    golden = bundle.golden
    return [dict(zip(golden.features, row.row, strict=True)) for row in golden.rows]


def test_champion_predicts_golden_rows(project: housectl.Project) -> None:
    champion = project.champion()
    golden = champion.bundle.golden
    predictions = champion.predict(golden_rows(champion.bundle))
    assert predictions == pytest.approx(
        [row.prediction for row in golden.rows], abs=golden.tolerance
    )
    assert champion.predict([]) == []


def test_prediction_ignores_excluded_columns(project: housectl.Project) -> None:
    champion = project.champion()
    row = golden_rows(champion.bundle)[0]
    assert champion.predict([row]) == champion.predict([{**row, "B": 396.9}])


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"RM": None}, "RM is missing"),
        ({"RM": float("nan")}, "RM is missing"),
        ({"RM": 1e39}, "RM is not a finite float32 number"),
        ({"RM": 10**330}, "RM is not a finite float32 number"),
        ({"RM": "6"}, "RM is not a number"),
        ({"RM": "6", "LSTAT": True}, "RM is not a number; LSTAT is not a number"),
        ({"ROOMS": 6}, "ROOMS is unknown"),
    ],
)
def test_invalid_row_raises_data_error(
    project: housectl.Project, change: dict[str, object], problem: str
) -> None:
    champion = project.champion()
    row = golden_rows(champion.bundle)[0]
    with pytest.raises(DataError, match=f"Row 1 is invalid: {problem}"):
        champion.predict([row, {**row, **change}])


def test_row_without_feature_raises_data_error(project: housectl.Project) -> None:
    champion = project.champion()
    row = golden_rows(champion.bundle)[0]
    del row["RM"]
    with pytest.raises(DataError, match="RM is missing"):
        champion.predict([row])


def test_progress_receives_snapshots(tmp_path: Path) -> None:
    class Recorder:
        def __init__(self) -> None:
            self.states: list[str] = []
            self.tasks: list[str] = []

        def on_experiment(
            self, experiment: housectl.Experiment, snapshot: housectl.Snapshot
        ) -> None:
            self.states.append(f"{experiment.name} {snapshot.state}")

        def on_task(self, task: housectl.Task, snapshot: housectl.Snapshot, _: object) -> None:
            self.tasks.append(f"{task.name} {snapshot.state}")

        def on_estimate(self, estimate: housectl.SearchEstimate) -> None:
            raise AssertionError(f"no estimate of a small search: {estimate}")

        def on_warning(self, message: str, hint: str) -> None:
            raise AssertionError(f"{message} {hint}")

    directory = example(".", tmp_path / "boston", space=GOOD, budget={"trials": 1})
    recorder = Recorder()
    project = housectl.open(directory.path, progress=recorder)
    challenger = project.tune("one")
    assert recorder.states[-1] == "one succeeded"
    assert recorder.tasks[-1] == "one-seal-0 succeeded"
    assert project.challenger().digest == challenger.digest


def test_command_line_imports_public_names_only() -> None:
    for path in (ROOT / "src" / "housectl" / "cli").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == "housectl":
                assert {alias.name for alias in node.names} <= set(housectl.__all__), path
