"""A registry with TLS, whose certificate only its own issuer has signed."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from housectl.errors import RegistryUnavailableError
from tests.registry.conftest import Mirrored
from tests.servers.model_registry import RegistryHttpServer
from tools.certificate import self_signed_certificate


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with a key and its self-signed certificate for 127.0.0.1."""
    key, signed = self_signed_certificate()
    path = tmp_path_factory.mktemp("tls") / "registry.pem"
    path.write_bytes(key + signed)
    return path


@pytest.fixture
def server_with_tls(certificate: Path) -> Iterator[RegistryHttpServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with RegistryHttpServer(0) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def test_certificates_are_checked(
    mirrored: Mirrored,
    server_with_tls: RegistryHttpServer,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mirror = mirrored.at(f"https://127.0.0.1:{server_with_tls.server_port}")
    with pytest.raises(RegistryUnavailableError, match="CERTIFICATE_VERIFY_FAILED") as caught:
        mirror.sync()
    assert "SSL_CERT_FILE" in caught.value.hint
    assert server_with_tls.log == []
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert mirror.sync().champion == mirrored.versions[2]
