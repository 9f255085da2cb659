"""The whole way of one data set: init, tune, promote, serve and verify, with the real commands."""

import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

import housectl
from benchmarks.datasets.catalog import DataSet
from benchmarks.datasets.reference_models import (
    SplitFrame,
    catboost_r2,
    hand_written_r2,
    reference_columns,
)
from housectl import ExitStatus
from housectl.contract.data.usable_data import UsableData, read_usable_data
from housectl.contract.record import Record
from tools.project_directory import CommandFailedError, ProjectDirectory, clean_environment
from tools.server_process import free_port, server_process

if TYPE_CHECKING:
    from pandas import DataFrame

TRIALS = 20

_DATA = "data.csv"


class _Column(msgspec.Struct):
    choice: str


class _Draft(msgspec.Struct):
    """The output of `init`: its choice for each column, and its messages."""

    columns: tuple[_Column, ...]
    notes: tuple[str, ...]


class WholeWay(Record, kw_only=True):
    """The outcome for one data set.

    Attributes:
        columns: Number of columns by the choice of `init`, the most frequent one first.
        notes: Messages of `init`.
        accepted: True if the gate accepted the challenger.
        reason: The verdict.
        verified: True if the running server passed its verification.
        r2, hand_written_r2, catboost_r2: R² on the same held-out rows.
        seconds: Time from `init` to the end of `verify`.
    """

    name: str
    rows: int
    columns: dict[str, int]
    notes: tuple[str, ...]
    family: str
    accepted: bool
    reason: str
    verified: bool
    r2: float
    hand_written_r2: float
    catboost_r2: float
    seconds: float


def go_the_whole_way(data_set: DataSet, directory: Path) -> WholeWay:
    """Take a data set from its CSV to a verified server, and measure the reference models.

    Args:
        data_set: The data set.
        directory: An empty directory.

    Raises:
        CommandFailedError: A command failed.
    """
    frame = data_set.load()
    frame.to_csv(directory / _DATA, index=False)
    project = ProjectDirectory(directory)
    start = time.monotonic()
    draft = _run_init(project, data_set.target)
    project.run_ok("tune", "--family", "auto", "--trials", str(TRIALS))
    promotion = _promote(project)
    accepted = bool(promotion["promoted"])
    verified = accepted and _verify(project)
    seconds = time.monotonic() - start
    split = _split_frame(data_set, frame, directory)
    return WholeWay(
        name=data_set.name,
        rows=len(split.targets),
        columns=dict(Counter(each.choice for each in draft.columns).most_common()),
        notes=draft.notes,
        family=housectl.open(directory).challenger().family,
        accepted=accepted,
        reason=str(promotion["reason"]),
        verified=verified,
        r2=_challenger_r2(directory, split),
        hand_written_r2=hand_written_r2(split),
        catboost_r2=catboost_r2(split),
        seconds=seconds,
    )


def _run_init(project: ProjectDirectory, target: str) -> _Draft:
    output = project.run_ok("init", "--data", _DATA, "--target", target, "--json")
    return msgspec.json.decode(output.out, type=_Draft)


def _promote(project: ProjectDirectory) -> dict[str, object]:
    output = project.run("promote", "--json")
    if output.status not in {ExitStatus.OK, ExitStatus.CHAMPION_KEPT}:
        raise CommandFailedError(output.err)
    return output.json


def _verify(project: ProjectDirectory) -> bool:
    port = str(free_port())
    with server_process(
        [project.housectl, "serve", "--port", port, "--project", project.path],
        url=f"http://127.0.0.1:{port}/health",
        log=project.path / "server.log",
        environment=clean_environment(),
    ):
        return project.run("verify", "--port", port).status == ExitStatus.OK


def _split_frame(data_set: DataSet, frame: "DataFrame", directory: Path) -> SplitFrame:
    """Return the data as the reference models use it, with the split of the project."""
    labelled = frame.dropna(subset=[data_set.target]).reset_index(drop=True)
    split = _read_data(directory).split
    return SplitFrame(
        columns=reference_columns(labelled, data_set),
        targets=labelled[data_set.target].astype(float),
        training=np.array(split.training),
        holdout=np.array(split.holdout),
    )


def _read_data(directory: Path) -> UsableData:
    config = housectl.open(directory).config
    return read_usable_data(
        directory / _DATA,
        config.schema_record,
        split=config.split_record,
        seed=config.seed,
        csv_format=config.csv_format,
    )


def _challenger_r2(directory: Path, split: SplitFrame) -> float:
    targets = split.targets.to_numpy()[split.holdout]
    return 1 - housectl.open(directory).challenger().holdout_mse / float(targets.var())
