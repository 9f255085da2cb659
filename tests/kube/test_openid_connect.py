"""An expired token of OpenID Connect is renewed."""

import base64
import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs

import pytest
import yaml

from tools.certificate import self_signed_certificate
from tools.kubeconfig import kubeconfig
from tools.project_directory import example

pytestmark = pytest.mark.slow


def token(*, expires: int) -> str:
    """Return an unsigned token, with its expiry in seconds since 1970."""
    parts = ({"alg": "none"}, {"exp": expires, "sub": "me"}, {})
    encoded = (base64.urlsafe_b64encode(json.dumps(part).encode()) for part in parts)
    return ".".join(part.decode().rstrip("=") for part in encoded)


EXPIRED, RENEWED = token(expires=1), token(expires=4102444800)


@dataclass(frozen=True)
class Provider:
    """A provider of tokens, which is the API server as well."""

    address: str
    certificate: bytes
    refresh_tokens: list[str] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)

    def get(self, path: str, authorization: str) -> object:
        """Return the body of the response to a GET request."""
        if path == "/.well-known/openid-configuration":
            return {"token_endpoint": f"{self.address}/token"}
        self.authorizations.append(authorization)
        return {"items": [], "metadata": {}}

    def post(self, body: bytes) -> object:
        """Return the body of the response to a request for a new token."""
        self.refresh_tokens.extend(parse_qs(body.decode())["refresh_token"])
        token = {"access_token": "access", "token_type": "Bearer", "expires_in": 3600}
        return token | {"id_token": RENEWED, "refresh_token": "refresh-2"}


class _Handler(BaseHTTPRequestHandler):
    provider: Provider

    def do_GET(self) -> None:
        self._respond(self.provider.get(self.path, self.headers.get("Authorization", "")))

    def do_POST(self) -> None:
        self._respond(self.provider.post(self.rfile.read(int(self.headers["Content-Length"]))))

    def _respond(self, body: object) -> None:
        content = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Provider]:
    key, certificate = self_signed_certificate()
    (tmp_path / "server.pem").write_bytes(key + certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        provider = Provider(f"https://127.0.0.1:{server.server_port}", certificate)
        server.RequestHandlerClass.provider = provider  # type: ignore[attr-defined]
        Thread(target=server.serve_forever, daemon=True).start()
        yield provider
        server.shutdown()


def write_kubeconfig(provider: Provider, path: Path) -> None:
    authority = base64.b64encode(provider.certificate).decode()
    settings = {
        "client-id": "housectl",
        "client-secret": "secret",
        "id-token": EXPIRED,
        "refresh-token": "refresh-1",
        "idp-issuer-url": provider.address,
        "idp-certificate-authority-data": authority,
    }
    cluster = {"server": provider.address, "certificate-authority-data": authority}
    user = {"auth-provider": {"name": "oidc", "config": settings}}
    path.write_text(kubeconfig(cluster, user=user))


def test_expired_token_is_renewed(provider: Provider, tmp_path: Path) -> None:
    project = example(".", tmp_path / "boston", backend="katib")
    write_kubeconfig(provider, tmp_path / "config")
    project.run_ok("list", KUBECONFIG=str(tmp_path / "config"))
    assert provider.refresh_tokens == ["refresh-1"]
    assert set(provider.authorizations) == {f"Bearer {RENEWED}"}
    saved = yaml.safe_load((tmp_path / "config").read_text())
    settings = saved["users"][0]["user"]["auth-provider"]["config"]
    assert (settings["id-token"], settings["refresh-token"]) == (RENEWED, "refresh-2")
