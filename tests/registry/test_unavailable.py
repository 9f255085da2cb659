"""Registries that are away, slow, forbidden or hostile: each failure is an error with a hint."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from housectl.errors import HousectlError, RegistryRejectedError, RegistryUnavailableError
from tests.registry.conftest import Mirrored
from tests.servers.model_registry import RegistryServer, model_registry
from tests.servers.registry_answers import API
from tests.servers.registry_errors import JSON

FIND = f"{API}/registered_model?"
LIST = "/versions?"
OBJECT = {"id": "1", "name": "boston", "state": "LIVE", "customProperties": {}}
JSON_TYPE = {"content-type": JSON}


def found(**changes: object) -> str:
    return json.dumps(OBJECT | changes)


ANSWERS = {
    "an HTML page": (FIND, 200, "<html>welcome</html>"),
    "no body": (FIND, 200, ""),
    "a list": (FIND, 200, "[]"),
    "null": (FIND, 200, "null"),
    "deep JSON": (FIND, 200, "[" * 100_000),
    "invalid UTF-8": (FIND, 200, '{"id": "\udcff"}'),
    "no id": (FIND, 200, '{"name": "boston"}'),
    "a number as id": (FIND, 200, found(id=1)),
    "a path as id": (FIND, 200, found(id="../../x")),
    "a line break in the id": (FIND, 200, found(id="1\n")),
    "another name": (FIND, 200, found(name="other")),
    "properties without tags": (FIND, 200, found(customProperties={"a": "b"})),
    "a list of properties": (FIND, 200, found(customProperties=[])),
    "another status": (FIND, 204, ""),
    "too many requests": (FIND, 429, "slow down"),
    "a gateway's error": (FIND, 502, "Bad Gateway"),
    "an unknown error": (FIND, 418, '{"message": 5}'),
    "null instead of items": (LIST, 200, '{"items": null}'),
    "no items": (LIST, 200, "{}"),
    "items of another type": (LIST, 200, '{"items": [1]}'),
    "pages without end": (LIST, 200, '{"items": [], "nextPageToken": "again"}'),
    "a creation that is not kept": ("/artifacts", 409, '{"message": "conflict"}'),
    "a created object without properties": ("/artifacts", 201, found(name="model.onnx")),
    "health of something else": ("/readyz/health", 200, "fine"),
    "no health": ("/readyz/health", 404, "404 page not found"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_hostile_answers_are_errors(mirrored: Mirrored, name: str) -> None:
    path, status, body = ANSWERS[name]
    mirrored.server.set_faults(reply=(status, JSON_TYPE, body), path=path)
    with pytest.raises((RegistryRejectedError, RegistryUnavailableError)) as caught:
        mirrored.sync()
    assert len(caught.value.message) < 600
    assert caught.value.hint.startswith(("housectl ", "export "))
    mirrored.server.set_faults()
    mirrored.sync()
    assert set(mirrored.states().values()) == {"same"}


@pytest.mark.parametrize("stream", ["drip", "endless"])
def test_answers_without_end_are_cut_off(mirrored: Mirrored, stream: str) -> None:
    mirrored.server.set_faults(stream=stream)
    with pytest.raises(RegistryUnavailableError):
        mirrored.sync(seconds=1.5)


def test_compressed_answer_is_refused(mirrored: Mirrored) -> None:
    headers = {**JSON_TYPE, "content-encoding": "gzip"}
    mirrored.server.set_faults(reply=(200, headers, found()), path=FIND)
    with pytest.raises(RegistryUnavailableError, match="compressed"):
        mirrored.sync()


def test_hanging_registry_is_given_up(mirrored: Mirrored) -> None:
    mirrored.server.set_faults(hang=f"{API}/registered_model")
    with pytest.raises(RegistryUnavailableError, match=r"no answer|time limit"):
        mirrored.sync(seconds=1.0)


def test_unhealthy_registry_gets_no_new_model(mirrored: Mirrored) -> None:
    mirrored.server.set_faults(hang="/readyz/health")
    with pytest.raises(RegistryUnavailableError, match=r"no answer|time limit"):
        mirrored.sync(seconds=1.0)
    assert mirrored.server.writes() == []


@pytest.mark.parametrize("is_mirrored", [False, True])
@pytest.mark.parametrize("database", ["away", "starting"])
def test_absent_database_is_not_an_absent_model(
    mirrored: Mirrored, database: str, *, is_mirrored: bool
) -> None:
    if is_mirrored:
        mirrored.sync()
    before = mirrored.server.content()
    mirrored.server.set_faults(database=database)
    for operation in (mirrored.sync, mirrored.states):
        with pytest.raises(RegistryUnavailableError):
            operation()
    mirrored.server.set_faults()
    assert mirrored.server.content() == before
    mirrored.sync()
    assert set(mirrored.states().values()) == {"same"}


def test_database_that_leaves_during_a_sync(mirrored: Mirrored) -> None:
    def leave(share: float) -> None:
        if 0.5 < share < 1:
            mirrored.server.set_faults(database="away")

    with pytest.raises(RegistryUnavailableError, match="SQLSTATE 57P01"):
        mirrored.mirror().sync(report=leave)
    mirrored.server.set_faults()
    mirrored.sync()
    assert set(mirrored.states().values()) == {"same"}


def test_404_by_id_without_a_database_is_no_rejection(mirrored: Mirrored) -> None:
    mirrored.sync()
    message = '{"code":"Not Found","message":"no registered model found for id 1: not found"}'
    mirrored.server.set_faults(
        reply=(404, JSON_TYPE, message), path="/registered_models/", hang="/readyz/health"
    )
    with pytest.raises(RegistryUnavailableError):
        mirrored.sync(seconds=1.5)


@pytest.fixture
def other(tmp_path: Path) -> Iterator[RegistryServer]:
    with model_registry(tmp_path / "other.log") as server:
        yield server


def test_redirect_is_not_followed(
    mirrored: Mirrored, other: RegistryServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOUSECTL_REGISTRY_TOKEN", "secret")
    other.set_faults()
    mirrored.server.set_faults(reply=(307, {"location": f"{other.url}/"}, ""), path="/")
    with pytest.raises(RegistryRejectedError, match=f"307 to {other.url}"):
        mirrored.sync()
    assert other.requests() == []


@pytest.mark.parametrize("faults", [{"token": "secret"}, {"read_only": True}])
def test_denied_write_is_rejected(mirrored: Mirrored, faults: dict[str, object]) -> None:
    mirrored.server.set_faults(**faults)
    with pytest.raises(RegistryRejectedError, match="denies access") as caught:
        mirrored.sync()
    assert "HOUSECTL_REGISTRY_TOKEN" in caught.value.hint


def test_missing_bundle_is_named(mirrored: Mirrored) -> None:
    record = mirrored.project.store / "bundles" / mirrored.bundles[0].digest / "metrics.json"
    record.write_bytes(b"{}")
    with pytest.raises(HousectlError, match=r"metrics\.json was altered") as caught:
        mirrored.sync()
    assert caught.value.hint.startswith("housectl store check")


def test_closed_port_is_unavailable(mirrored: Mirrored, unused_url: str) -> None:
    with pytest.raises(RegistryUnavailableError, match="Connection refused"):
        mirrored.at(unused_url).compare()


@pytest.mark.parametrize("host", ["name.invalid", "a..b", "x" * 70])
def test_unknown_host_is_unavailable(mirrored: Mirrored, host: str) -> None:
    with pytest.raises(RegistryUnavailableError):
        mirrored.at(f"http://{host}").compare()


def test_invalid_certificates_are_named(
    mirrored: Mirrored, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "absent.pem"))
    with pytest.raises(HousectlError, match="SSL_CERT_FILE"):
        mirrored.at("https://127.0.0.1:1").compare()


@pytest.mark.parametrize(
    ("faults", "cause"),
    [
        ({"database": "away"}, "/readyz/health is answered with 503 failed to list"),
        ({"database": "starting"}, "503 Datastore service is down or unavailable"),
        ({"cut": 3}, "Server disconnected without sending a response"),
        ({"read_only": True}, "denies access: POST"),
        ({"token": "secret"}, "denies access: GET"),
    ],
    ids=["database away", "database starting", "cut", "read-only", "token"],
)
def test_registry_never_fails_a_rollback(
    mirrored: Mirrored, faults: dict[str, object], cause: str
) -> None:
    mirrored.server.set_faults(**faults)
    ((message, hint),) = mirrored.rollback()
    assert mirrored.store.require_champion().bundle == mirrored.bundles[1].digest
    assert message.startswith("The model registry was not updated: ")
    assert cause in message
    assert hint == "housectl registry sync"
    mirrored.server.set_faults()
    mirrored.sync()
    assert mirrored.champion() == mirrored.versions[1]


@pytest.mark.slow
@pytest.mark.parametrize("faults", [{"hang": "/readyz/health"}, {"stream": "drip"}], ids=str)
def test_slow_registry_never_fails_a_rollback(
    mirrored: Mirrored, faults: dict[str, object]
) -> None:
    mirrored.server.set_faults(**faults)
    assert len(mirrored.rollback()) == 1
    assert mirrored.store.require_champion().bundle == mirrored.bundles[1].digest


def test_unusable_token_file_never_fails_a_rollback(mirrored: Mirrored) -> None:
    ((message, _),) = mirrored.rollback(**{"registry.token_file": "absent"})
    assert f"The token file {mirrored.project.path}/absent cannot be read" in message


def test_altered_bundle_never_fails_a_rollback(mirrored: Mirrored) -> None:
    record = mirrored.project.store / "bundles" / mirrored.bundles[2].digest / "bundle.json"
    record.write_bytes(b"{}")
    ((message, _),) = mirrored.rollback()
    assert f"The bundle {record.parent} is invalid" in message
