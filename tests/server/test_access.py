"""Access to a server: API keys, the root path behind a proxy, and web pages of other origins."""

import json
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from housectl.api_key_file import ApiKeyFile
from housectl.contract.api_keys import key_digest
from housectl.contract.bundle import Bundle
from housectl.deadline import Deadline
from housectl.drift import read_drift
from housectl.errors import ExitStatus, UsageError
from housectl.store.local import LocalStore
from housectl.verification.client import KEY_VARIABLE
from housectl.verification.limits import Limits
from housectl.verification.serving import wait_until_serving
from housectl.verification.verify import Verification, verify
from tests.server import permission_server
from tests.server.browser import console_of, open_page
from tests.server.bundles import make_bundle, promote
from tests.server.page_bundles import page_bundle
from tests.server.running import ROW, RunningServer, running, start, wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT_PATH = "/models/boston"
SHOP = "https://shop.example"
PERMISSION_SERVER = ("-P", permission_server.__file__)
LIMITS = Limits(p99_ms=10_000, request_seconds=30, update_seconds=5)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("access")


@pytest.fixture(scope="module")
def bundle(path: Path) -> Bundle:
    return make_bundle(path)


@pytest.fixture(scope="module")
def keys(path: Path) -> ApiKeyFile:
    return ApiKeyFile(path / "keys" / "api-keys")


@pytest.fixture(scope="module")
def key(keys: ApiKeyFile) -> str:
    return keys.add("shop")


@pytest.fixture(scope="module")
def server(path: Path, bundle: Bundle, keys: ApiKeyFile, key: str) -> Iterator[RunningServer]:
    """A server with a key, a root path, and one origin."""
    assert key
    promote(store := LocalStore(path / "store"), bundle)
    arguments = (
        *("--api-keys-file", str(keys.path), "--root-path", ROOT_PATH, "--cors-origins", SHOP),
        *("--workers", "2", "--access-log", "--json"),
    )
    with running(store.path, path / "output.txt", arguments=arguments) as server:
        yield server


def predict(server: RunningServer, headers: dict[str, str], path: str = "") -> httpx.Response:
    return server.client.post(f"{path}/predict", json=ROW, headers=headers)


def verification(bundle: Bundle, url: str) -> Verification:
    return verify(bundle, url, limits=LIMITS, deadline=Deadline.after(LIMITS.run_seconds))


@pytest.mark.parametrize(
    "url",
    [
        *("/", "/predict", "/docs", "/model", "/metrics", "/drift", "/openapi.json", "/v2"),
        *("/healthz", "/health/x/predict", "/%70redict", "//predict", f"{ROOT_PATH}/docs"),
    ],
)
def test_request_without_key_is_refused(server: RunningServer, url: str) -> None:
    response = server.client.get(url)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="housectl"'
    body = response.json()
    text = body["error"] if url == "/v2" else body["detail"]
    assert text.startswith("The server requires an API key. Send it in the header")


@pytest.mark.parametrize(
    "url",
    ["/health", "/health/live", "/health/ready", "/v2/health/live", "/v2/health/ready"],
)
def test_health_needs_no_key(server: RunningServer, url: str) -> None:
    assert server.client.get(url).status_code == 200


def test_each_form_of_a_key_is_accepted(server: RunningServer, key: str) -> None:
    for headers in ({"X-API-Key": key}, {"Authorization": f"bearer {key}"}):
        assert predict(server, headers).status_code == 200
    auth = httpx.BasicAuth("", key)
    assert server.client.post("/predict", json=ROW, auth=auth).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"X-API-Key": "hk_unknown"},
        {"X-API-Key": "é"},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic %%%"},
        {"Authorization": "Digest x"},
    ],
)
def test_invalid_key_is_refused(server: RunningServer, headers: dict[str, str]) -> None:
    encoded = {name: value.encode("latin-1") for name, value in headers.items()}
    response = server.client.post("/predict", json=ROW, headers=encoded)
    assert response.status_code == 401


def test_access_log_names_the_key_and_no_secret(server: RunningServer, key: str) -> None:
    predict(server, {"X-API-Key": key, "X-Request-ID": "with-key"})
    server.wait_for(status="ok")

    def line() -> dict[str, object] | None:
        lines = [json.loads(each) for each in server.log().splitlines()]
        return next((each for each in lines if each.get("request_id") == "with-key"), None)

    wait_until(line)
    found = line()
    assert found is not None
    assert (found["api_key"], found["path"]) == ("shop", "/predict")
    assert key not in server.log()


def test_changed_file_is_followed_and_a_broken_one_changes_nothing(
    server: RunningServer, keys: ApiKeyFile, key: str
) -> None:
    added = {"X-API-Key": keys.add("second")}
    # Each worker reads the file, so several requests in a row have to succeed.
    wait_until(lambda: all(_fresh_status(server, added) == 200 for _ in range(8)))
    content = keys.path.read_bytes()
    keys.path.write_text("this is no key\n")
    wait_until(lambda: server.log().count("is not a sha256 in hexadecimal and a name") >= 2)
    assert {_fresh_status(server, added) for _ in range(8)} == {200}
    keys.path.unlink()
    wait_until(lambda: server.log().count("does not exist") >= 2)
    assert {_fresh_status(server, added) for _ in range(8)} == {200}
    keys.path.write_bytes(content)
    keys.remove("second")
    wait_until(lambda: all(_fresh_status(server, added) == 401 for _ in range(8)))
    assert predict(server, {"X-API-Key": key}).status_code == 200
    assert "removed second" in server.log()


def test_repaired_permissions_are_noticed(bundle: Bundle, tmp_path: Path) -> None:
    promote(store := LocalStore(tmp_path / "store"), bundle)
    keys = ApiKeyFile(tmp_path / "keys")
    key = keys.add("shop")
    arguments = ("--api-keys-file", str(keys.path))
    with running(
        store.path, tmp_path / "output.txt", program=PERMISSION_SERVER, arguments=arguments
    ) as server:
        keys.path.chmod(0)
        keys.remove("shop")
        wait_until(lambda: "Permission denied" in server.log())
        assert predict(server, {"X-API-Key": key}).status_code == 200
        keys.path.chmod(0o600)
        wait_until(lambda: predict(server, {"X-API-Key": key}).status_code == 401)
        assert server.log().count("Permission denied") == 1


def test_root_path_like_that_of_health_opens_nothing(bundle: Bundle, tmp_path: Path) -> None:
    """Starlette removes a second root path, after the check of API keys."""
    root = "/health/models"
    promote(store := LocalStore(tmp_path / "store"), bundle)
    keys = ApiKeyFile(tmp_path / "keys")
    key = keys.add("shop")
    arguments = ("--api-keys-file", str(keys.path), "--root-path", root)
    with running(store.path, tmp_path / "output.txt", arguments=arguments) as server:
        for prefix in (root, root * 2, root * 3):
            assert predict(server, {}, prefix).status_code == 401
            assert predict(server, {"X-API-Key": key}, prefix).status_code == 200
            assert server.client.get(f"{prefix}/metrics").status_code == 401
            assert server.client.get(f"{prefix}/health/ready").status_code == 200


def test_empty_key_is_invalid_even_if_the_file_has_its_digest(
    bundle: Bundle, tmp_path: Path
) -> None:
    promote(store := LocalStore(tmp_path / "store"), bundle)
    keys = tmp_path / "keys"
    keys.write_text(f"{key_digest('')} unset-variable\n")
    arguments = ("--api-keys-file", str(keys))
    with running(store.path, tmp_path / "output.txt", arguments=arguments) as server:
        for headers in ({"X-API-Key": ""}, {"Authorization": "Bearer"}):
            assert predict(server, headers).status_code == 401
        response = server.client.post("/predict", json=ROW, auth=httpx.BasicAuth("", ""))
        assert response.status_code == 401


def _fresh_status(server: RunningServer, headers: dict[str, str]) -> int:
    """Return the status of a prediction over a connection of its own, so any worker answers."""
    url = f"{server.url}/predict"
    return httpx.post(url, json=ROW, headers=headers, trust_env=False).status_code


def test_verification_and_drift_send_the_key(
    server: RunningServer, bundle: Bundle, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    wait_until_serving(server.url, bundle.digest, timeout=10)
    with pytest.raises(UsageError, match="requires an API key") as missing:
        verification(bundle, server.url)
    assert missing.value.hint.startswith("export HOUSECTL_API_KEY=KEY")
    monkeypatch.setenv(KEY_VARIABLE, "hk_wrong")
    for ask in (lambda: verification(bundle, server.url), lambda: drift(server)):
        with pytest.raises(UsageError, match="rejects the API key in HOUSECTL_API_KEY"):
            ask()
    monkeypatch.setenv(KEY_VARIABLE, "two words")
    with pytest.raises(UsageError, match="not one word"):
        drift(server)
    monkeypatch.setenv(KEY_VARIABLE, key)
    drift(server)
    for url in (server.url, f"{server.url}{ROOT_PATH}"):
        assert verification(bundle, url).failed == ()


def drift(server: RunningServer) -> None:
    read_drift(server.url, limits=LIMITS)


def test_root_path_is_removed_or_not(server: RunningServer, key: str) -> None:
    headers = {"X-API-Key": key}
    assert predict(server, headers, ROOT_PATH).json() == predict(server, headers).json()
    assert server.client.get(f"{ROOT_PATH}/health/ready").status_code == 200
    for path in (ROOT_PATH, ""):
        openapi = server.client.get(f"{path}/openapi.json", headers=headers).json()
        assert openapi["servers"] == [{"url": ROOT_PATH}]
        assert {"ApiKey": []} in openapi["security"]
        assert "401" in openapi["paths"]["/predict"]["post"]["responses"]
        page = server.client.get(f"{path}/docs", headers=headers).text
        assert f'{ROOT_PATH}/predict -H "X-API-Key: $HOUSECTL_API_KEY" -d' in unescape(page)
        invalid = server.client.get(f"{path}/v2/models/none", headers=headers)
        assert (invalid.status_code, set(invalid.json())) == (404, {"error"})
    redirect = server.client.get(ROOT_PATH, headers=headers)
    assert (redirect.status_code, redirect.headers["location"]) == (308, f"{ROOT_PATH}/")
    metrics = server.client.get(f"{ROOT_PATH}/metrics", headers=headers).text
    assert 'handler="/predict"' in metrics
    assert ROOT_PATH not in metrics


def test_preflight_request_needs_no_key(server: RunningServer) -> None:
    asked = {
        "Origin": SHOP,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,x-api-key",
    }
    response = server.client.options("/predict", headers=asked)
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == SHOP
    assert "x-api-key" in response.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in response.headers
    other = server.client.options("/predict", headers={**asked, "Origin": "https://other.example"})
    assert "access-control-allow-origin" not in other.headers


def test_answers_and_errors_are_shared_with_the_origin(server: RunningServer, key: str) -> None:
    for headers, status in (({"X-API-Key": key}, 200), ({}, 401)):
        response = predict(server, {**headers, "Origin": SHOP})
        assert response.status_code == status
        assert response.headers["access-control-allow-origin"] == SHOP
        assert "x-model-version" in response.headers["access-control-expose-headers"]
        assert response.headers["vary"] == "Origin"
    other = predict(server, {"X-API-Key": key, "Origin": "https://other.example"})
    assert other.status_code == 200
    assert "access-control-allow-origin" not in other.headers


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--api-keys-file", "missing"), "The file of API keys missing does not exist"),
        (("--root-path", "/boston/"), "is not a path such as /models/boston"),
        (("--root-path", "boston"), "is not a path such as /models/boston"),
        (("--cors-origins", "shop.example"), "shop.example is neither * nor an origin"),
        (("--cors-origins", "https://Shop.example"), "Shop.example is neither * nor an origin"),
    ],
)
def test_invalid_option_ends_the_server(
    path: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    output = tmp_path / "output.txt"
    process = start(path / "store", output, arguments=("--port", "0", *arguments))
    assert process.wait(60) == ExitStatus.USAGE
    assert message in output.read_text()
    assert "Traceback" not in output.read_text()


@pytest.mark.slow
@pytest.mark.browser
def test_browser_asks_for_the_key_as_a_password(
    browser: "Browser", tmp_path: Path, keys: ApiKeyFile, key: str
) -> None:
    promote(store := LocalStore(tmp_path / "store"), page_bundle(tmp_path))
    arguments = ("--api-keys-file", str(keys.path), "--root-path", ROOT_PATH)
    credentials = {"username": "", "password": key}
    with (
        running(store.path, tmp_path / "output.txt", arguments=arguments) as server,
        open_page(browser, f"{server.url}{ROOT_PATH}", http_credentials=credentials) as page,
    ):
        messages = console_of(page)
        page.wait_for_selector("#served:not([hidden])")
        page.wait_for_selector("#prediction:not(:has-text('…'))")
        assert messages == []
        page.click("text=API reference")
        page.wait_for_selector("text=Fields")
        assert page.url == f"{server.url}{ROOT_PATH}/docs"
