"""A store in S3: a promotion, the polls of a server that follows, and a second `housectl run`."""

import math
import os
import time
from pathlib import Path
from unittest.mock import patch

from benchmarks.measurement import Direction, Measurement, log, wall_seconds
from benchmarks.servers import running_server
from benchmarks.workbench import force_promote
from housectl.contract.seal_output import SealOutput
from housectl.store.address import StoreAddress
from housectl.store.factory import open_store
from housectl_server.settings import STORE_VARIABLE, default_poll_interval
from tools.project_directory import HOUSECTL, copy_boston
from tools.s3_server import logged_requests, s3_server

_ROUNDS = 5
_PERIODS = 5
_SERVER = ("housectl_server", "--port")
_SMALL = {"max_features": {"min": 0.3, "max": 0.6}, "n_estimators": 20}


def measure(
    project: Path, scratch: Path, *, champion: SealOutput, challenger: SealOutput
) -> list[Measurement]:
    """Promote in new stores of one bucket, let a server follow the last one, and run a pipeline.

    Args:
        project: A project; its own store is not used.
        scratch: Directory for temporary files.
        champion: Champion of each store before the promotion.
        challenger: Challenger of each store, which beats the champion.
    """
    directory = scratch / "s3"
    with s3_server(directory) as s3, patch.dict(os.environ, s3.environment):
        bucket = s3.new_bucket()
        promotions = []
        for number in range(_ROUNDS):
            log(f"promotion on S3: round {number + 1} of {_ROUNDS}")
            store = f"s3://{bucket}/round-{number}"
            _prepare(store, champion, challenger)
            promotions.append(_promote(project, directory, store))
        with running_server(*_SERVER, store=store, log=scratch / "follower.log"):
            polls = _poll(directory, StoreAddress.parse(store))
        second_run = _run_again(scratch / "pipeline", f"s3://{bucket}/pipeline")
    return [*_promotion_measurements(promotions), polls, second_run]


def _prepare(store: str, champion: SealOutput, challenger: SealOutput) -> None:
    champions = open_store(StoreAddress.parse(store), cache=None)
    force_promote(champions, champion)
    champions.add_challenger("better", challenger.bundle, challenger.evidence)


def _promote(project: Path, s3: Path, store: str) -> tuple[int, float]:
    """Return the number of requests and the seconds of a promotion after a comparison."""
    environment = {STORE_VARIABLE: store}
    wall_seconds([HOUSECTL, "compare"], cwd=project, environment=environment)
    before = len(logged_requests(s3))
    seconds = wall_seconds([HOUSECTL, "promote"], cwd=project, environment=environment)
    return len(logged_requests(s3)) - before, seconds


def _promotion_measurements(promotions: list[tuple[int, float]]) -> list[Measurement]:
    requests = max(requests for requests, _ in promotions)
    seconds = min(seconds for _, seconds in promotions)
    return [
        Measurement(
            name="promote on S3 after a comparison: requests",
            ratio=requests,
            goal=10,
            better=Direction.LOWER,
            detail=f"most of {_ROUNDS}",
        ),
        Measurement(
            name="promote on S3 after a comparison: s",
            ratio=seconds,
            goal=1.0,
            better=Direction.LOWER,
            detail=f"best of {_ROUNDS}",
            unit="s",
        ),
    ]


def _poll(s3: Path, store: StoreAddress) -> Measurement:
    """Count the requests of a server without a new champion."""
    period = default_poll_interval(store)
    log(f"a server on S3: {_PERIODS} periods of {period:g} s")
    # The first look reads the whole history.
    time.sleep(2 * period)
    before, started = len(logged_requests(s3)), time.monotonic()
    time.sleep(_PERIODS * period)
    periods = math.ceil((time.monotonic() - started) / period)
    requests = logged_requests(s3)[before:]
    return Measurement(
        name="a server that follows S3: requests per period",
        ratio=len(requests) / periods,
        goal=1.0,
        better=Direction.LOWER,
        detail=", ".join(sorted({_without_bucket(request) for request in requests})),
    )


def _without_bucket(request: str) -> str:
    method, _, path = request.partition(" ")
    return f"{method} {path.split('/', 2)[-1]}"


def _run_again(scratch: Path, store: str) -> Measurement:
    """Run the whole pipeline with small forests, then again without any change."""
    log(f"second housectl run on S3: {_ROUNDS} rounds")
    project = copy_boston(scratch)
    project.edit_config(space=_SMALL, budget={"trials": 2}, verify={"p99_ms": 1000})
    with running_server(*_SERVER, store=store, log=scratch / "server.log") as url:
        environment = {STORE_VARIABLE: store, "HOUSECTL_URL": url}
        first, *rounds = [
            wall_seconds([HOUSECTL, "run"], cwd=project.path, environment=environment)
            for _ in range(1 + _ROUNDS)
        ]
    return Measurement(
        name="second housectl run on S3: s",
        ratio=min(rounds),
        goal=2.0,
        better=Direction.LOWER,
        detail=f"best of {_ROUNDS}; the first run took {first:.1f} s",
        unit="s",
    )
