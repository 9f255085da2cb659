"""A registry with TLS, whose certificate only its own issuer has signed."""

import ipaddress
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from housectl.errors import RegistryUnavailableError
from tests.registry.conftest import Mirrored
from tests.servers.model_registry import RegistryHttpServer

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with a key and its self-signed certificate for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "registry")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path_factory.mktemp("tls") / "registry.pem"
    path.write_bytes(private + signed.public_bytes(pem))
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
