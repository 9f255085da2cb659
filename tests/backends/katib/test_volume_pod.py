"""Whether the pod that reaches the claim runs, with the images that its node has to get."""

import pytest

from housectl.backends.katib.volume.pods import runs
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
        ({"trainer": waiting("RunContainerError"), "beside-0": RUNNING}, False),
        ({"trainer": RUNNING, "beside-0": waiting("ContainerCreating")}, False),
        ({"trainer": RUNNING, "beside-0": waiting("ImagePullBackOff")}, False),
        ({"trainer": RUNNING, "beside-0": waiting("RunContainerError")}, True),
        ({"trainer": RUNNING, "beside-0": ENDED}, True),
        ({"trainer": RUNNING, "beside-0": RUNNING}, True),
    ],
)
def test_an_image_beside_has_come_even_if_it_cannot_run(
    states: dict[str, object], *, expected: bool
) -> None:
    statuses = [{"name": name, "state": state} for name, state in states.items()]
    pod = parse(Pod, {"metadata": {"name": "a"}, "status": {"containerStatuses": statuses}})
    assert runs(pod) is expected
