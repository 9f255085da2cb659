"""Running API servers, and kubeconfigs for their clients."""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tools.certificate import self_signed_certificate
from tools.kubeconfig import kubeconfig
from tools.project_directory import ROOT


@contextmanager
def kube_api(
    objects: Mapping[str, Sequence[Mapping[str, object]]], directory: Path
) -> Iterator[Path]:
    """Run an API server during the block, and yield a kubeconfig whose context is `here`.

    Args:
        objects: Objects by the paths of their collections.
        directory: An empty directory.
    """
    (directory / "objects.json").write_text(json.dumps(objects))
    private, public = self_signed_certificate()
    (directory / "server.pem").write_bytes(private + public)
    command = (
        *(sys.executable, "-m", "tools.kube_api"),
        *(directory / "objects.json", directory / "server.pem"),
    )
    # The server ends with the pipe that this process holds.
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the server has no pipes")
        cluster = {
            "server": f"https://127.0.0.1:{process.stdout.readline().strip()}",
            "certificate-authority-data": base64.b64encode(public).decode(),
        }
        path = directory / "kubeconfig"
        path.write_text(kubeconfig(cluster))
        try:
            yield path
        finally:
            process.stdin.close()
