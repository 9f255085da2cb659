"""Files to and from the claim: what is broken off is tried again, what points elsewhere refused."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Thread

import pytest

from housectl.backends.katib.naming import MOUNT
from housectl.backends.katib.plan.pod_spec import CONTAINER
from housectl.backends.katib.volume.pods import VolumePods
from housectl.backends.katib.volume.transfer import Volume
from housectl.contract.inputs import Inputs, read_inputs
from housectl.errors import BundleError, PodError
from housectl.experiment import Budget
from housectl.kube.client import Kube
from housectl.kube.kinds import PODS
from tests.backends.conftest import inputs  # noqa: F401  # a fixture
from tests.backends.workloads import experiment, submit, wait_for_end
from tests.cluster.backend import katib_backend
from tools.dev_cluster.images import TRAINER_IMAGE
from tools.dev_cluster.kubectl import kubectl

MEGABYTES = 512


@pytest.fixture
def volume(namespace: str) -> Iterator[Volume]:
    pods = VolumePods(kube=Kube(None, namespace), pvc="model-storage", image=TRAINER_IMAGE)
    volume = Volume(pods)
    yield volume
    volume.remove(["test"])


def make(volume: Volume, script: str) -> None:
    """Run a shell script in a directory `test` of the claim."""
    with volume.pods.running(read_only=False) as pod:
        command = ["sh", "-c", f"mkdir -p {MOUNT}/test && cd {MOUNT}/test && {script}"]
        streams = volume.pods.kube.exec(pod, CONTAINER, command)
        streams.finish()
        streams.close()


def pods(namespace: str) -> list[str]:
    listed = kubectl(
        *("get", "pods", f"--namespace={namespace}", "--output=json"),
        "--selector=app.kubernetes.io/component=volume",
    )
    return [
        each["metadata"]["name"]
        for each in json.loads(listed)["items"]
        if "deletionTimestamp" not in each["metadata"]
    ]


def test_files_come_as_they_are_and_no_pod_stays(
    volume: Volume, namespace: str, tmp_path: Path
) -> None:
    make(volume, "mkdir sub && printf %s abc >sub/file && : >empty")
    volume.fetch("test", tmp_path)
    assert (tmp_path / "sub" / "file").read_text() == "abc"
    assert (tmp_path / "empty").read_bytes() == b""
    assert pods(namespace) == []


def test_what_is_not_there_is_said(volume: Volume, namespace: str, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="has no test/never"):
        volume.fetch("test/never", tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert pods(namespace) == []


@pytest.mark.parametrize(
    "script", ["ln -s /etc/passwd link", "ln -s ../outside link", ": >a && ln a hard"]
)
def test_a_path_out_of_its_target_is_refused(volume: Volume, script: str, tmp_path: Path) -> None:
    into = tmp_path / "into"
    into.mkdir()
    make(volume, script)
    with pytest.raises(BundleError, match="is refused"):
        volume.fetch("test", into)
    assert [path.name for path in tmp_path.iterdir()] == ["into"]


@dataclass(frozen=True, kw_only=True)
class BreakingPods(VolumePods):
    """Pods of which the first one is deleted as soon as a file has begun to come."""

    file: Path
    names: list[str] = field(default_factory=list)

    @contextmanager
    def running(self, *, read_only: bool, beside: Sequence[str] = ()) -> Iterator[str]:
        with super().running(read_only=read_only, beside=beside) as name:
            self.names.append(name)
            if len(self.names) == 1:
                Thread(target=self._break, args=(name,), daemon=True).start()
            yield name

    def _break(self, name: str) -> None:
        while not self.file.exists():
            time.sleep(0.01)
        self.kube.delete(PODS, name)


def test_a_stream_that_breaks_off_is_tried_again(volume: Volume, tmp_path: Path) -> None:
    make(volume, f"head -c {MEGABYTES}M /dev/zero >big && printf %s end >end")
    pods = volume.pods
    breaking = BreakingPods(kube=pods.kube, pvc=pods.pvc, image=pods.image, file=tmp_path / "big")
    Volume(breaking).fetch("test", tmp_path)
    assert len(breaking.names) == 2
    assert (tmp_path / "big").stat().st_size == MEGABYTES * 2**20
    assert (tmp_path / "end").read_text() == "end"


def test_a_pod_that_cannot_start_says_why(volume: Volume, namespace: str, tmp_path: Path) -> None:
    broken = Volume(replace(volume.pods, image="127.0.0.1:1/absent:1"))
    with pytest.raises(PodError, match=r"the image 127\.0\.0\.1:1/absent:1"):
        broken.fetch("test", tmp_path)
    assert pods(namespace) == []


def test_inputs_travel_once_and_come_back(
    namespace: str,
    inputs: Inputs,  # noqa: F811
    tmp_path: Path,
) -> None:
    here = katib_backend(namespace, inputs.path.parent)
    handle = submit(here, experiment("travelled", budget=Budget(trials=1)), inputs)
    wait_for_end(here, handle)
    elsewhere = katib_backend(namespace, tmp_path)
    brought = elsewhere.get_inputs(handle)
    assert brought.path == tmp_path / inputs.digest
    assert read_inputs(brought.path).shared == inputs.shared
    here.delete(handle)
