"""The trainer's process that estimates times on this machine."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from housectl.backends.local.preflight import check_libraries
from housectl.backends.trainer_argv import trainer_argv
from housectl.contract.record import canonical_json
from housectl.contract.time_protocol import TimeRequest, TrialTime
from housectl.errors import LocalEnvironmentError, TaskFailedError
from housectl.python_process import child_environment


def can_estimate() -> bool:
    """Return True if the training libraries are installed on this machine."""
    try:
        check_libraries()
    except LocalEnvironmentError:
        return False
    return True


def estimate_times(inputs: Path, requests: Sequence[TimeRequest]) -> list[TrialTime]:
    """Return the estimated time of each request, after about one second of fits for each.

    Args:
        inputs: The inputs directory.
        requests: Assignments to estimate.

    Raises:
        TaskFailedError: The trainer failed: a library rejects an assignment, or memory is lacking.
    """
    ended = subprocess.run(
        (sys.executable, *trainer_argv("estimate", [("--inputs", str(inputs))])),
        input=b"".join(canonical_json(request) + b"\n" for request in requests),
        capture_output=True,
        env=child_environment(),
        check=False,
    )
    if ended.returncode:
        lines = ended.stderr.decode(errors="replace").strip().splitlines() or ["no output"]
        raise TaskFailedError(
            f"The trainer cannot estimate the time of a trial: {lines[-1].removeprefix('error: ')}",
            hint="housectl tune --trials 1   # shows the error of a trial",
        )
    return [TrialTime.from_json(line) for line in ended.stdout.splitlines()]
