import json
import subprocess
import sys

import pytest

from housectl.contract.families import Family
from housectl.contract.inputs import Inputs
from housectl.contract.record import canonical_json
from housectl.contract.time_protocol import TimeRequest, TrialTime
from housectl.errors import ExitStatus
from housectl_trainer.data import Dataset
from tests.trainer.small_assignments import SMALL_ASSIGNMENTS

pytestmark = pytest.mark.slow


def run(inputs: Inputs, requests: bytes) -> subprocess.CompletedProcess[bytes]:
    command = (sys.executable, "-m", "housectl_trainer", "estimate", "--inputs", str(inputs.path))
    return subprocess.run(command, input=requests, capture_output=True, check=False)


def test_each_request_is_answered_in_order(boston: Inputs, boston_dataset: Dataset) -> None:
    requests = [
        TimeRequest(family=family, assignment=dict(SMALL_ASSIGNMENTS[family])) for family in Family
    ]
    ended = run(boston, b"".join(canonical_json(request) + b"\n" for request in requests))
    assert ended.returncode == ExitStatus.OK, ended.stderr
    times = [TrialTime.from_json(line) for line in ended.stdout.splitlines()]
    assert len(times) == len(requests)
    for time in times:
        assert time.rows == len(boston_dataset.training)
        assert time.trial_seconds > 0
        assert time.fit_seconds > 0


@pytest.mark.parametrize(
    "request_line", [b"{}\n", json.dumps({"family": "linear", "assignment": {"x": 1}}).encode()]
)
def test_invalid_request_is_an_error(boston: Inputs, request_line: bytes) -> None:
    ended = run(boston, request_line)
    assert ended.returncode == ExitStatus.USAGE
    assert b"error: " in ended.stderr
