"""Files to and from the claim, through a pod that lives as long as it takes."""

import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from housectl.backends.katib.archive import BrokenArchiveError, pack, unpack
from housectl.backends.katib.containers import CONTAINER, Manifest, container, pod_spec
from housectl.backends.katib.layout import (
    VOLUME,
    inputs_path,
    labels,
    mounted,
    selector,
    selector_of_all,
)
from housectl.backends.kube.client import Kube
from housectl.backends.kube.exec import Streams
from housectl.backends.kube.kinds import CLAIMS, EVENTS, PODS
from housectl.contract.files import TEMPORARY_PREFIX
from housectl.contract.inputs import Inputs
from housectl.diagnosis.cause import Place, first_cause
from housectl.diagnosis.image import is_pulling
from housectl.diagnosis.objects import Claim, Event, Pod, inputs_mark, view
from housectl.diagnosis.seen import FormerPod, SeenPod
from housectl.diagnosis.starting import POD_PROBES
from housectl.errors import BundleError, ClusterUnreachableError, PodError

# A pod that nobody deletes, as this process was killed, ends by itself.
_LIFETIME_SECONDS = 900
# Seconds before each new try: an API server that restarts is away for some.
_PAUSES = (2.0, 10.0)
_UNPACK = """
set -eu
trap 'rm -rf "$1"' EXIT
mkdir -p "$1"
head -c "$3" | tar -xf - -C "$1"
python -c 'import os; os.sync()'
python -c "$4" "$2" 2>/dev/null || { rm -rf "$2"; mv "$1" "$2"; }
"""
_CHECK = """
import sys
from pathlib import Path
from housectl.contract.inputs import read_inputs
read_inputs(Path(sys.argv[1]))
"""
_PACK = '[ ! -d "$1" ] || exec tar -cf - -C "$1" .'
_REMOVE = 'rm -rf "$@"'


@dataclass(frozen=True, kw_only=True)
class Volume:
    """The claim of some inputs and outputs.

    Attributes:
        image: What the pod runs: the trainer's image, which nodes have already.
        patience: Seconds in which the pod has to start; a new volume may take a minute.
        beside: Another image that the pod's node has to get; whether it can run is of no account.
    """

    kube: Kube
    claim: str
    image: str
    patience: int = 120
    beside: str | None = None

    def upload(self, inputs: Inputs) -> None:
        """Bring an inputs directory to the claim, once for each digest.

        What lies there already is left alone if it is whole: trials may be reading it.

        Raises:
            PodError: The pod does not start, or the volume cannot be written.
        """
        if self.kube.get(CLAIMS, self.claim, Claim).has_inputs(inputs.digest):
            return
        content = pack(inputs.path)
        path = inputs_path(inputs.digest)
        parent, _, name = path.rpartition("/")
        temporary = f"{parent}/{TEMPORARY_PREFIX}{name}-{secrets.token_hex(4)}"
        with self.pod(read_only=False) as pod:
            arguments = [mounted(temporary), mounted(path), str(len(content)), _CHECK]
            with _running(self.kube, pod, _UNPACK, arguments) as streams:
                streams.send(content)
                streams.finish()
        mark = {inputs_mark(inputs.digest): "uploaded"}
        self.kube.patch(CLAIMS, self.claim, {"metadata": {"annotations": mark}})

    def fetch(self, path: str, into: Path) -> None:
        """Bring a directory of the claim here, into one that is there and empty.

        Raises:
            BundleError: There is no such directory, or it holds what points out of it.
            PodError: The pod does not start.
            ClusterUnreachableError: The connection broke again and again.
        """
        for pause in (*_PAUSES, None):
            try:
                with self.pod(read_only=True) as pod:
                    self._bring(pod, path, into)
            except ClusterUnreachableError:
                if pause is None:
                    raise
                _empty(into)
                time.sleep(pause)
            else:
                return

    def remove(self, paths: Sequence[str]) -> None:
        """Remove files and directories of the claim. Idempotent.

        Raises:
            PodError: The pod does not start, or the volume cannot be written.
        """
        with (
            self.pod(read_only=False) as pod,
            _running(self.kube, pod, _REMOVE, [mounted(path) for path in paths]) as streams,
        ):
            streams.finish()

    def _bring(self, pod: str, path: str, into: Path) -> None:
        try:
            with _running(self.kube, pod, _PACK, [mounted(path)]) as streams:
                found = unpack(streams.read(), into)
        except BrokenArchiveError as error:
            raise ClusterUnreachableError(
                f"What came of {path} from the claim {self.claim} is cut off: {error}.",
                hint="housectl doctor   # then run the same command again",
            ) from error
        if not found:
            raise BundleError(
                f"The claim {self.claim} has no {path}: it was discarded or never made.",
                hint="housectl tune   # makes another",
            )

    @contextmanager
    def pod(self, *, read_only: bool) -> Iterator[str]:
        """Run a pod that does nothing but have the claim mounted; yields its name."""
        name = f"housectl-volume-{secrets.token_hex(4)}"
        self._sweep()
        try:
            created = self.kube.create(self._manifest(name, read_only=read_only))
            self._wait(view(Pod, created))
            yield name
        finally:
            self.kube.delete(PODS, name)

    def _sweep(self) -> None:
        """Delete the pods that commands left when they were killed, once they have ended."""
        for pod in self.kube.views(PODS, Pod, labels=selector_of_all(VOLUME)):
            if pod.status.phase in {"Succeeded", "Failed"}:
                self.kube.delete(PODS, pod.metadata.name)

    def _wait(self, pod: Pod) -> None:
        """Wait until a pod runs: for as long as patience lasts, or its image is on its way."""
        deadline = time.monotonic() + self.patience
        while not _runs(pod := self._follow(pod)):
            # Some causes show by time alone, with no change.
            seen = self._check(pod)
            if time.monotonic() >= deadline and not is_pulling(seen):
                raise PodError(
                    f"The pod that reaches the claim {self.claim} has not started in "
                    f"{self.patience} s.",
                    hint=seen.describe,
                )

    def _follow(self, pod: Pod) -> Pod:
        """Return a pod as it is when it runs, or when the watch ends."""
        mine = selector({"housectl/pod": pod.metadata.name})
        since = pod.metadata.resource_version
        for change in self.kube.watch(PODS, labels=mine, since=since, seconds=self.patience):
            if change.type in {"BOOKMARK", "ERROR"}:
                continue
            pod = view(Pod, change.object)
            if _runs(pod):
                return pod
            self._check(pod)
        return self.kube.get(PODS, pod.metadata.name, Pod)

    def _check(self, pod: Pod) -> SeenPod:
        """Return a pod with the events about it, if nothing keeps it from starting."""
        seen = self._seen(pod)
        cause = first_cause(POD_PROBES, seen)
        if cause is not None:
            raise PodError(f"The pod that reaches the claim: {cause.what}", hint=cause.cure)
        return seen

    def _seen(self, pod: Pod) -> SeenPod:
        place = Place(namespace=self.kube.namespace, context=self.kube.context)
        events = self.kube.views(EVENTS, Event, fields=f"involvedObject.name={pod.metadata.name}")
        return FormerPod(place=place, pod=pod, events=events, now=datetime.now(UTC))

    def _manifest(self, name: str, *, read_only: bool) -> Manifest:
        trainer = _sleeping(self.image, read_only=read_only)
        images = [self.beside] if self.beside else []
        beside = [{**_sleeping(image, read_only=read_only), "name": "beside"} for image in images]
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": {**labels(name, VOLUME), "housectl/pod": name}},
            "spec": {
                **pod_spec(trainer, claim=self.claim, read_only=read_only),
                "containers": [trainer, *beside],
                "activeDeadlineSeconds": _LIFETIME_SECONDS,
                "terminationGracePeriodSeconds": 0,
            },
        }


def _sleeping(image: str, *, read_only: bool) -> Manifest:
    return container(
        image,
        ["sleep", str(_LIFETIME_SECONDS)],
        requests={"cpu": "10m", "memory": "32Mi"},
        limits={"cpu": "1", "memory": "256Mi"},
        read_only=read_only,
    )


@contextmanager
def _running(kube: Kube, pod: str, script: str, arguments: Sequence[str]) -> Iterator[Streams]:
    streams = kube.exec(pod, CONTAINER, ["sh", "-c", script, "sh", *arguments])
    try:
        yield streams
    finally:
        streams.close()


def _runs(pod: Pod) -> bool:
    """Whether a container runs and none waits, as one does whose image is still to come."""
    states = [status.state for status in pod.status.container_statuses]
    return any(state.running for state in states) and not any(state.waiting for state in states)


def _empty(directory: Path) -> None:
    for path in directory.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
