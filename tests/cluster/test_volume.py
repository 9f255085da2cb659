"""Transfers to and from the PVC, with retries and protection against unsafe paths."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from housectl.backends.katib.labels_and_paths import MOUNT
from housectl.backends.katib.plan.pod_spec import CONTAINER
from housectl.backends.katib.volume import archive, transfer
from housectl.backends.katib.volume.pods import VolumePods
from housectl.backends.katib.volume.transfer import Volume
from housectl.contract.inputs import Inputs, read_inputs
from housectl.errors import BundleError, NotFoundError, PodError
from housectl.experiment import Budget
from housectl.kube.client import Kube
from housectl.kube.kinds import PODS
from housectl.kube.objects.pods import Pod
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


def run_script(volume: Volume, script: str) -> None:
    """Run a shell script in the directory `test` of the PVC."""
    with volume.pods.running(read_only=False) as pod:
        command = ["sh", "-c", f"mkdir -p {MOUNT}/test && cd {MOUNT}/test && {script}"]
        streams = volume.pods.kube.exec(pod, CONTAINER, command)
        streams.finish()
        streams.close()


def volume_pods(namespace: str) -> list[str]:
    listed = kubectl(
        *("get", "pods", f"--namespace={namespace}", "--output=json"),
        "--selector=app.kubernetes.io/component=volume",
    )
    return [
        pod["metadata"]["name"]
        for pod in json.loads(listed)["items"]
        if "deletionTimestamp" not in pod["metadata"]
    ]


def test_fetch_copies_files_and_deletes_its_pod(
    volume: Volume, namespace: str, tmp_path: Path
) -> None:
    run_script(volume, "mkdir sub && printf %s abc >sub/file && : >empty")
    volume.fetch("test", tmp_path)
    assert (tmp_path / "sub" / "file").read_text() == "abc"
    assert (tmp_path / "empty").read_bytes() == b""
    assert volume_pods(namespace) == []


def test_fetch_of_missing_directory_fails(volume: Volume, namespace: str, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="has no test/never"):
        volume.fetch("test/never", tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert volume_pods(namespace) == []


@pytest.mark.parametrize(
    "script", ["ln -s /etc/passwd link", "ln -s ../outside link", ": >a && ln a hard"]
)
def test_fetch_refuses_links(volume: Volume, script: str, tmp_path: Path) -> None:
    destination = tmp_path / "destination"
    destination.mkdir()
    run_script(volume, script)
    with pytest.raises(BundleError, match="is unsafe"):
        volume.fetch("test", destination)
    assert [path.name for path in tmp_path.iterdir()] == ["destination"]


@dataclass(frozen=True, kw_only=True)
class RecordingPods(VolumePods):
    """Volume pods whose names are recorded."""

    names: list[str] = field(default_factory=list)

    @contextmanager
    def running(self, *, read_only: bool, extra_images: Sequence[str] = ()) -> Iterator[str]:
        with super().running(read_only=read_only, extra_images=extra_images) as name:
            self.names.append(name)
            yield name

    def break_first(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Delete the first pod when the first bytes of its download have arrived."""
        yield next(chunks)
        if len(self.names) == 1:
            self.kube.delete(PODS, self.names[0])
            with suppress(NotFoundError):
                while self.kube.get(PODS, self.names[0], Pod):
                    time.sleep(0.01)
        yield from chunks


def test_broken_download_is_retried(
    volume: Volume, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_script(volume, f"head -c {MEGABYTES}M /dev/zero >big && printf %s end >end")
    pods = RecordingPods(kube=volume.pods.kube, pvc=volume.pods.pvc, image=volume.pods.image)
    monkeypatch.setattr(
        transfer,
        "unpack",
        lambda chunks, destination: archive.unpack(pods.break_first(chunks), destination),
    )
    Volume(pods).fetch("test", tmp_path)
    assert len(pods.names) == 2
    assert (tmp_path / "big").stat().st_size == MEGABYTES * 2**20
    assert (tmp_path / "end").read_text() == "end"


def test_pod_that_cannot_start_has_a_cause(volume: Volume, namespace: str, tmp_path: Path) -> None:
    broken = Volume(replace(volume.pods, image="127.0.0.1:1/absent:1"))
    with pytest.raises(PodError, match=r"the image 127\.0\.0\.1:1/absent:1"):
        broken.fetch("test", tmp_path)
    assert volume_pods(namespace) == []


def test_uploaded_inputs_can_be_downloaded(
    namespace: str,
    inputs: Inputs,  # noqa: F811
    tmp_path: Path,
) -> None:
    first = katib_backend(namespace, inputs.path.parent)
    handle = submit(first, experiment("uploaded", budget=Budget(trials=1)), inputs)
    wait_for_end(first, handle)
    second = katib_backend(namespace, tmp_path)
    downloaded = second.get_inputs(handle)
    assert downloaded.path == tmp_path / inputs.digest
    assert read_inputs(downloaded.path).shared == inputs.shared
    first.delete(handle)
