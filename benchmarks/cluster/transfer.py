"""How fast a trial's output comes from the claim."""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.cluster.bench import ClusterBench
from benchmarks.measurement import Direction, Measurement, log
from housectl.backends.katib.naming import mounted, output_path
from housectl.backends.katib.plan.pod_spec import CONTAINER
from housectl.backends.katib.volume.pods import VolumePods
from housectl.backends.katib.volume.transfer import Volume
from tests.cluster.nodes import TRAINER

_ROUNDS = 5
_BYTES = 20_000_000
_WRITE = 'mkdir -p "$1" && head -c "$2" /dev/urandom > "$1/model"'


@dataclass(frozen=True, kw_only=True)
class _TimedPods(VolumePods):
    """Pods that remember how long each was used, from its start on."""

    transfers: list[float] = field(default_factory=list)

    @contextmanager
    def running(self, *, read_only: bool, extra_images: Sequence[str] = ()) -> Iterator[str]:
        """Run a pod, and take the time while it is used."""
        with super().running(read_only=read_only, extra_images=extra_images) as name:
            began = time.perf_counter()
            yield name
            self.transfers.append(time.perf_counter() - began)


def measure(bench: ClusterBench, scratch: Path) -> list[Measurement]:
    """Fetch random bytes again and again, as the output of a trial is fetched."""
    log(f"transfer: {_ROUNDS} rounds")
    path = output_path("transfer", "random")
    _write(VolumePods(kube=bench.kube, pvc="model-storage", image=TRAINER), path)
    pods = _TimedPods(kube=bench.kube, pvc="model-storage", image=TRAINER)
    wholes = [_fetch(Volume(pods), path, scratch / str(number)) for number in range(_ROUNDS)]
    megabytes = _BYTES / 10**6
    return [
        Measurement(
            name=f"fetch of {megabytes:g} MB from the claim: MB/s once the pod runs",
            ratio=megabytes / median(pods.transfers),
            goal=20.0,
            better=Direction.HIGHER,
            detail=f"median of {_listed(pods.transfers)} s; with the pod's start and end "
            f"{megabytes / median(wholes):.1f} MB/s, {_listed(wholes)} s",
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


def _fetch(volume: Volume, path: str, into: Path) -> float:
    into.mkdir()
    began = time.perf_counter()
    volume.fetch(path, into)
    return time.perf_counter() - began


def _listed(seconds: Sequence[float]) -> str:
    return ", ".join(f"{each:.2f}" for each in seconds)
