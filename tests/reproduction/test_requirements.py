"""Requirements of a bundle's trainer: its lock, and nothing that another writer added."""

import re

import pytest
from housectl_trainer.libraries import library_versions

from housectl.contract.trainer_code import VERSION, locked_versions, read_lock
from housectl.errors import InputsError
from housectl.reproduction.requirements import requirements_of


@pytest.fixture
def lock() -> str:
    content = read_lock()
    assert content is not None
    return content.decode()


def test_recorded_version_is_that_of_the_distribution() -> None:
    from importlib.metadata import version

    assert version("housectl") == VERSION


def test_lock_with_the_recipes_versions_is_used_as_it_is(lock: str) -> None:
    requirements = requirements_of(library_versions(), lock=lock, own_lock=lock)
    assert requirements.text == lock
    assert requirements.notes == ()


def test_missing_lock_is_replaced_by_own_lock(lock: str) -> None:
    requirements = requirements_of(library_versions(), lock=None, own_lock=lock)
    assert requirements.text == lock
    assert "has no lock" in requirements.notes[0]


def test_other_versions_of_the_recipe_replace_those_of_the_lock(lock: str) -> None:
    libraries = {**library_versions(), "joblib": "1.4.0", "xgboost": "3.1.1"}
    requirements = requirements_of(libraries, lock=lock, own_lock=lock)
    expected = {**locked_versions(lock), "joblib": "1.4.0", "xgboost-cpu": "3.1.1"}
    assert locked_versions(requirements.text) == expected
    assert "--hash" not in requirements.text
    assert "joblib 1.4.0, xgboost-cpu 3.1.1" in requirements.notes[0]


def test_other_systems_use_the_other_package_of_a_library(
    lock: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    requirements = requirements_of(library_versions(), lock=lock, own_lock=lock)
    versions = locked_versions(requirements.text)
    assert versions["xgboost"] == library_versions()["xgboost"]
    assert "xgboost-cpu" not in versions


@pytest.mark.parametrize(
    "line",
    [
        "--extra-index-url https://attacker.example/simple",
        "--find-links /tmp",
        "evil @ https://attacker.example/evil.whl",
        "evil==1.0 \\",
        "joblib==1.6.0",
        "joblib==1.6.0 ; python_version > '3'",
        "-e .",
    ],
)
def test_lock_with_other_lines_is_refused(lock: str, line: str) -> None:
    with pytest.raises(InputsError, match=re.escape(line.partition("==")[0])):
        requirements_of(library_versions(), lock=f"{lock}{line}\n", own_lock=lock)


@pytest.mark.parametrize("version", ["1.0\n--index-url https://attacker.example", "", "1.0 -e ."])
def test_malformed_version_of_a_recipe_is_refused(lock: str, version: str) -> None:
    libraries = {**library_versions(), "numpy": version}
    with pytest.raises(InputsError, match="of numpy is malformed"):
        requirements_of(libraries, lock=lock, own_lock=lock)


def test_unknown_library_of_a_recipe_is_refused(lock: str) -> None:
    with pytest.raises(InputsError, match="the unknown library 'evil'"):
        requirements_of({**library_versions(), "evil": "1.0"}, lock=lock, own_lock=lock)
