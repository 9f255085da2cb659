"""Files to and from the claim, through the pods that reach it."""

import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from housectl.backends.katib.naming import inputs_annotation, inputs_path, mounted
from housectl.backends.katib.plan.pod_spec import CONTAINER
from housectl.backends.katib.volume.archive import BrokenArchiveError, pack, unpack
from housectl.backends.katib.volume.pods import VolumePods
from housectl.contract.files import TEMP_PREFIX
from housectl.contract.inputs import Inputs
from housectl.errors import BundleError, ClusterUnreachableError, PodError
from housectl.kube.client import Kube
from housectl.kube.exec import ExecStreams
from housectl.kube.kinds import PVCS
from housectl.kube.objects.pvcs import Pvc

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


@dataclass(frozen=True)
class Volume:
    """The inputs and outputs that lie on a claim."""

    pods: VolumePods

    def upload(self, inputs: Inputs) -> None:
        """Bring an inputs directory to the claim, once for each digest.

        What lies there already is left alone if it is whole: trials may be reading it.

        Raises:
            PodError: The pod does not start, or the volume cannot be written.
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
            with _running(kube, pod, _UNPACK, arguments) as streams:
                streams.send(content)
                streams.finish()
        kube.patch(PVCS, self.pods.pvc, {"metadata": {"annotations": {annotation: "uploaded"}}})

    def fetch(self, path: str, into: Path) -> None:
        """Bring a directory of the claim here, into one that is there and empty.

        Raises:
            BundleError: There is no such directory, or it holds what points out of it.
            PodError: The pod does not start.
            ClusterUnreachableError: The connection broke again and again.
        """
        for pause in (*_PAUSES, None):
            try:
                with self.pods.running(read_only=True) as pod:
                    self._download(pod, path, into)
            except ClusterUnreachableError:
                if pause is None:
                    raise
                _empty(into)
                time.sleep(pause)
            else:
                return

    def remove(self, paths: Sequence[str], *, fallback_image: str | None = None) -> None:
        """Remove files and directories of the claim. Idempotent.

        Args:
            paths: Below its mount.
            otherwise: An image to do it with if the pods' own does not start.

        Raises:
            PodError: The pod does not start, or the volume cannot be written.
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
            _running(self.pods.kube, pod, _REMOVE, [mounted(path) for path in paths]) as streams,
        ):
            streams.finish()

    def _download(self, pod: str, path: str, into: Path) -> None:
        try:
            with _running(self.pods.kube, pod, _PACK, [mounted(path)]) as streams:
                found = unpack(streams.read(), into)
        except BrokenArchiveError as error:
            raise ClusterUnreachableError(
                f"What came of {path} from the claim {self.pods.pvc} is cut off: {error}.",
                hint="housectl doctor   # then run the same command again",
            ) from error
        if not found:
            raise BundleError(
                f"The claim {self.pods.pvc} has no {path}: it was discarded or never made.",
                hint="housectl tune   # makes another",
            )


@contextmanager
def _running(kube: Kube, pod: str, script: str, arguments: Sequence[str]) -> Iterator[ExecStreams]:
    streams = kube.exec(pod, CONTAINER, ["sh", "-c", script, "sh", *arguments])
    try:
        yield streams
    finally:
        streams.close()


def _empty(directory: Path) -> None:
    for path in directory.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
