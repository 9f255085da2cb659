"""Speed of fetching a trial's output from the PVC."""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.cluster.bench import ClusterBench
from benchmarks.measurement import Direction, Measurement, log
from housectl.backends.katib.labels_and_paths import mounted, output_path
from housectl.backends.katib.plan.pod_spec import CONTAINER
from housectl.backends.katib.volume.pods import VolumePods
from housectl.backends.katib.volume.transfer import Volume
from tools.dev_cluster.images import TRAINER_IMAGE

_ROUNDS = 5
_BYTES = 20_000_000
_WRITE = 'mkdir -p "$1" && head -c "$2" /dev/urandom > "$1/model"'


@dataclass(frozen=True, kw_only=True)
class _TimedPods(VolumePods):
    """Volume pods that record how long each was used after its start."""

    transfers: list[float] = field(default_factory=list)

    @contextmanager
    def running(self, *, read_only: bool, extra_images: Sequence[str] = ()) -> Iterator[str]:
        """Run a pod, and record the seconds of its use."""
        with super().running(read_only=read_only, extra_images=extra_images) as name:
            start = time.perf_counter()
            yield name
            self.transfers.append(time.perf_counter() - start)


def measure(bench: ClusterBench, scratch: Path) -> list[Measurement]:
    """Fetch random bytes repeatedly, like the output of a trial."""
    log(f"transfer: {_ROUNDS} rounds")
    path = output_path("transfer", "random")
    _write(VolumePods(kube=bench.kube, pvc="model-storage", image=TRAINER_IMAGE), path)
    pods = _TimedPods(kube=bench.kube, pvc="model-storage", image=TRAINER_IMAGE)
    total_seconds = [_fetch(Volume(pods), path, scratch / str(number)) for number in range(_ROUNDS)]
    megabytes = _BYTES / 10**6
    return [
        Measurement(
            name=f"fetch of {megabytes:g} MB from the PVC: MB/s once the pod runs",
            ratio=megabytes / median(pods.transfers),
            goal=20.0,
            better=Direction.HIGHER,
            detail=f"median of {_joined(pods.transfers)} s; including start and end of the pod "
            f"{megabytes / median(total_seconds):.1f} MB/s, {_joined(total_seconds)} s",
            unit="MB/s",
        )
    ]


def _write(pods: VolumePods, path: str) -> None:
    command = ["sh", "-c", _WRITE, "sh", mounted(path), str(_BYTES)]
    with (
        pods.running(read_only=False) as pod,
        closing(pods.kube.exec(pod, CONTAINER, command)) as streams,
    ):
        streams.finish()


def _fetch(volume: Volume, path: str, directory: Path) -> float:
    directory.mkdir()
    start = time.perf_counter()
    volume.fetch(path, directory)
    return time.perf_counter() - start


def _joined(seconds: Sequence[float]) -> str:
    return ", ".join(f"{value:.2f}" for value in seconds)
