"""Files to and from the PVC, through the pods that mount it."""

import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from housectl.backends.katib.labels_and_paths import inputs_annotation, inputs_path, mounted
from housectl.backends.katib.plan.pod_spec import CONTAINER
from housectl.backends.katib.volume.archive import BrokenArchiveError, pack, unpack
from housectl.backends.katib.volume.pods import VolumePods
from housectl.contract.inputs import Inputs
from housectl.contract.temp_files import TEMP_PREFIX
from housectl.errors import BundleError, ClusterUnreachableError, NotFoundError, PodError
from housectl.kube.client import Kube
from housectl.kube.exec import ExecStreams
from housectl.kube.kinds import PVCS
from housectl.kube.objects.pvcs import Pvc

# An API server that restarts is unavailable for a few seconds.
_RETRY_DELAYS_SECONDS = (2.0, 10.0)
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


@dataclass(frozen=True)
class Volume:
    """The inputs and outputs on a PVC."""

    pods: VolumePods

    def exists(self) -> bool:
        """Return True if the PVC exists; its files are lost with it."""
        with suppress(NotFoundError):
            self.pods.kube.get(PVCS, self.pods.pvc, Pvc)
            return True
        return False

    def upload(self, inputs: Inputs) -> None:
        """Upload an inputs directory to the PVC, once for each digest.

        Complete inputs on the PVC are not replaced, because trials may be reading them.

        Raises:
            PodError: The pod does not start, or the PVC is not writable.
        """
        kube = self.pods.kube
        annotation = inputs_annotation(inputs.digest)
        if annotation in kube.get(PVCS, self.pods.pvc, Pvc).metadata.annotations:
            return
        content = pack(inputs.path)
        path = inputs_path(inputs.digest)
        parent, _, name = path.rpartition("/")
        temporary = f"{parent}/{TEMP_PREFIX}{name}-{secrets.token_hex(4)}"
        with self.pods.running(read_only=False) as pod:
            arguments = [mounted(temporary), mounted(path), str(len(content)), _CHECK]
            with _run(kube, pod, _UNPACK, arguments) as streams:
                streams.send(content)
                streams.finish()
        kube.patch(PVCS, self.pods.pvc, {"metadata": {"annotations": {annotation: "uploaded"}}})

    def fetch(self, path: str, destination: Path) -> None:
        """Download a directory of the PVC to an existing, empty directory.

        Raises:
            BundleError: The directory does not exist, or has links or paths outside of itself.
            PodError: The pod does not start.
            ClusterUnreachableError: The connection broke in every attempt.
        """
        for delay in (*_RETRY_DELAYS_SECONDS, None):
            try:
                with self.pods.running(read_only=True) as pod:
                    self._download(pod, path, destination)
            except ClusterUnreachableError:
                if delay is None:
                    raise
                _clear(destination)
                time.sleep(delay)
            else:
                return

    def remove(self, paths: Sequence[str], *, fallback_image: str | None = None) -> None:
        """Remove files and directories of the PVC. Idempotent.

        Args:
            paths: Their paths below the mount.
            fallback_image: The image to use if the image of the pods does not start.

        Raises:
            PodError: The pod does not start, or the PVC is not writable.
        """
        try:
            self._remove(paths)
        except PodError:
            if fallback_image in {None, self.pods.image}:
                raise
            Volume(replace(self.pods, image=fallback_image)).remove(paths)

    def _remove(self, paths: Sequence[str]) -> None:
        with (
            self.pods.running(read_only=False) as pod,
            _run(self.pods.kube, pod, _REMOVE, [mounted(path) for path in paths]) as streams,
        ):
            streams.finish()

    def _download(self, pod: str, path: str, destination: Path) -> None:
        try:
            with _run(self.pods.kube, pod, _PACK, [mounted(path)]) as streams:
                exists = unpack(streams.read(), destination)
        except BrokenArchiveError as error:
            raise ClusterUnreachableError(
                f"Download of {path} from PVC {self.pods.pvc} was truncated: {error}.",
                hint="housectl doctor   # then run the same command again",
            ) from error
        if not exists:
            raise BundleError(
                f"PVC {self.pods.pvc} has no {path}: it was deleted or never created.",
                hint="housectl tune   # trains another model",
            )


@contextmanager
def _run(kube: Kube, pod: str, script: str, arguments: Sequence[str]) -> Iterator[ExecStreams]:
    streams = kube.exec(pod, CONTAINER, ["sh", "-c", script, "sh", *arguments])
    try:
        yield streams
    finally:
        streams.close()


def _clear(directory: Path) -> None:
    for path in directory.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
