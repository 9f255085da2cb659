"""The pod that mounts the PVC counts as running only after its extra images were pulled."""

import pytest

from housectl.backends.katib.volume.pods import is_running
from housectl.kube.objects.base import parse
from housectl.kube.objects.pods import Pod

RUNNING = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
ENDED = {"terminated": {"exitCode": 128, "reason": "StartError"}}


def waiting(reason: str) -> dict[str, object]:
    return {"waiting": {"reason": reason}}


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ({}, False),
        ({"trainer": RUNNING}, True),
        ({"trainer": waiting("ContainerCreating")}, False),
        ({"trainer": waiting("RunContainerError"), "extra-0": RUNNING}, False),
        ({"trainer": RUNNING, "extra-0": waiting("ContainerCreating")}, False),
        ({"trainer": RUNNING, "extra-0": waiting("ImagePullBackOff")}, False),
        ({"trainer": RUNNING, "extra-0": waiting("RunContainerError")}, True),
        ({"trainer": RUNNING, "extra-0": ENDED}, True),
        ({"trainer": RUNNING, "extra-0": RUNNING}, True),
    ],
)
def test_extra_image_counts_as_pulled_even_if_it_cannot_run(
    states: dict[str, object], *, expected: bool
) -> None:
    statuses = [{"name": name, "state": state} for name, state in states.items()]
    pod = parse(Pod, {"metadata": {"name": "a"}, "status": {"containerStatuses": statuses}})
    assert is_running(pod) is expected
