"""A new backend: one package and one entry in the registry."""

import json
import shutil
import subprocess
from importlib import import_module
from pathlib import Path

import pytest

from housectl.backend_registry import BACKENDS
from housectl.errors import ExitStatus
from tests.extension.source_copy import SourceCopy
from tests.spaces import GOOD
from tools.project_directory import (
    ROOT,
    CommandOutput,
    ProjectDirectory,
    clean_environment,
    example,
)

pytestmark = pytest.mark.slow

ENTRY = """
    "memory": BackendEntry(
        package="housectl.backends.memory", runs_on="the memory of one process", setup_seconds=0.0
    ),"""


@pytest.fixture
def memory_source(source: SourceCopy) -> SourceCopy:
    """The source with the tests' in-memory backend as an entry of the registry."""
    shutil.copytree(ROOT / "tests/backends/in_memory", source.root / "src/housectl/backends/memory")
    source.insert(
        "src/housectl/backend_registry.py",
        after="BACKENDS: Final[Mapping[str, BackendEntry]] = {",
        text=ENTRY,
    )
    return source


def run(source: SourceCopy, project: ProjectDirectory, *arguments: str) -> CommandOutput:
    completed = subprocess.run(
        [source.housectl, *arguments],
        cwd=project.path,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    return CommandOutput(completed.returncode, completed.stdout, completed.stderr)


@pytest.fixture
def project(tmp_path: Path) -> ProjectDirectory:
    return example(".", tmp_path / "boston", space=GOOD)


def test_registered_backend_runs_searches(
    memory_source: SourceCopy, project: ProjectDirectory
) -> None:
    listing = run(memory_source, project, "list", "--backend", "memory", "--json")
    assert listing.status == ExitStatus.OK, listing
    assert listing.json["experiments"] == []
    search = run(memory_source, project, "tune", "--backend", "memory", "--trials", "2", "--json")
    assert search.status == ExitStatus.OK, search
    promotion = run(memory_source, project, "promote", "--json")
    assert promotion.status == ExitStatus.OK, promotion


def test_registered_backend_has_its_own_doctor_checks(
    memory_source: SourceCopy, project: ProjectDirectory
) -> None:
    report = run(memory_source, project, "doctor", "--backend", "memory", "--json")
    assert report.status == ExitStatus.OK, report
    assert "fits in memory" in report.out
    assert "training libraries" not in report.out


def test_help_schema_and_errors_name_registered_backend(
    memory_source: SourceCopy, project: ProjectDirectory
) -> None:
    help_text = " ".join(run(memory_source, project, "list", "--help").out.split())
    assert "memory (the memory of one process)" in help_text
    print_schema = "from housectl.project.json_schema import json_schema; print(json_schema())"
    schema = json.loads(
        subprocess.run(
            [memory_source.python, "-c", print_schema], capture_output=True, text=True, check=True
        ).stdout
    )
    assert set(schema["properties"]["backend"]["enum"]) == {*BACKENDS, "memory"}
    error = run(memory_source, project, "list", "--backend", "cloud")
    assert error.status == ExitStatus.USAGE, error
    for name in ("'local'", "'katib'", "'memory'"):
        assert name in error.err


def test_every_registered_package_has_a_factory_and_a_doctor() -> None:
    for entry in BACKENDS.values():
        factory = import_module(f"{entry.package}.factory")
        assert callable(factory.create_backend)
        assert callable(factory.search_settings)
        assert callable(import_module(f"{entry.package}.doctor").doctor_checks)
