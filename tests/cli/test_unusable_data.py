"""Data that a search refuses: `init`, `doctor` and `tune` find it, with the same problem."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from housectl.errors import ExitStatus
from tools.project_directory import ProjectDirectory

ROWS = 120
DISTINCT = 3
HELD_OUT_ROW = np.random.RandomState(42).permutation(ROWS)[0]


@dataclass(frozen=True)
class Case:
    """A file with columns a, b and the target y; `split` is the project's."""

    columns: Mapping[str, Sequence[object]]
    problem: str
    split: Mapping[str, object] = field(default_factory=dict)


def make_columns(**other: Sequence[object]) -> dict[str, Sequence[object]]:
    rng = random.Random(5)
    usual = {name: [round(rng.random(), 3) for _ in range(ROWS)] for name in ("a", "b", "y")}
    return {**usual, **other}


DUPLICATES = {
    name: [*values[:DISTINCT]] * (ROWS // DISTINCT) for name, values in make_columns().items()
}
CASES = {
    "duplicates": Case(
        DUPLICATES,
        "The split leaves 2 different training rows, fewer than the gate's 10 folds",
        split={"method": "hash-features"},
    ),
    "large target": Case(
        make_columns(y=[-1e300, *range(1, ROWS)]),
        "The target y has values up to 1e+300, above 1e+70",
    ),
    "small target": Case(
        make_columns(y=[1e-300 * row for row in range(ROWS)]),
        "The target y has a range of 1.19e-298, below 1e-70",
    ),
}
# `init` accepts these files: it writes other settings, or excludes the column.
CONFIGURED = {
    "float32": Case(
        make_columns(a=[1e38 * (number * 7 % ROWS) for number in range(ROWS)]),
        "The column a has values up to 1.19e+40, and trees store at most 3.4e38.",
    ),
    "groups": Case(
        make_columns(a=[row % 7 for row in range(ROWS)]),
        "The split leaves 6 groups of training rows, fewer than the gate's 10 folds.",
        split={"method": "shuffle", "holdout": 0.1, "group": "a"},
    ),
    "constant target": Case(
        make_columns(y=[int(row == HELD_OUT_ROW) for row in range(ROWS)]),
        "The target y has one value in all 96 training rows.",
        split={"method": "shuffle"},
    ),
    "text": Case(make_columns(a=["x"] * ROWS), "'x' is not a finite number"),
}


def write_project(directory: Path, case: Case) -> ProjectDirectory:
    rows = [[*case.columns], *zip(*case.columns.values(), strict=True)]
    text = "".join(",".join(map(str, row)) + "\n" for row in rows)
    (directory / "data.csv").write_text(text)
    return ProjectDirectory(directory)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_init_refuses_data_that_tune_would_refuse(tmp_path: Path, case: Case) -> None:
    project = write_project(tmp_path, case)
    refused = project.run("init", "--data", "data.csv", "--target", "y")
    assert refused.status == ExitStatus.USAGE
    assert case.problem in refused.err
    assert not (tmp_path / "housectl.yaml").exists()


@pytest.mark.parametrize("case", [*CASES.values(), *CONFIGURED.values()], ids=[*CASES, *CONFIGURED])
def test_doctor_and_tune_refuse_the_same_data(tmp_path: Path, case: Case) -> None:
    project = write_project(tmp_path, case)
    ranges = {"min": 0, "max": 1}
    project.write(
        {
            "name": "odd",
            "data": "data.csv",
            "target": {"name": "y"},
            "features": {"a": ranges, "b": ranges},
            "split": case.split,
        }
    )
    diagnosed = project.run("doctor")
    assert diagnosed.status == ExitStatus.USAGE
    assert case.problem in diagnosed.out
    refused = project.run("tune", "--name", "never")
    assert refused.status == ExitStatus.USAGE
    assert case.problem in refused.err
    assert not (tmp_path / ".housectl" / "runs").exists()
