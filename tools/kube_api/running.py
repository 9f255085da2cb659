"""Running API servers, and kubeconfigs for their clients."""

import base64
import ipaddress
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tools.project_directory import ROOT

_DAY = timedelta(days=1)


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
    private, public = _certificate()
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
        kubeconfig = directory / "kubeconfig"
        kubeconfig.write_text(json.dumps(_config(cluster)))
        try:
            yield kubeconfig
        finally:
            process.stdin.close()


def _config(cluster: Mapping[str, str]) -> Mapping[str, object]:
    return {
        "current-context": "here",
        "clusters": [{"name": "here", "cluster": cluster}],
        "users": [{"name": "me", "user": {}}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
    }


def _certificate() -> tuple[bytes, bytes]:
    """Return a key and its self-signed certificate for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kube-api")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private, signed.public_bytes(pem)
