"""The test server answers as the real one did: each recorded exchange is repeated."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.servers.model_registry import RegistryServer, model_registry
from tools.project_directory import ROOT

RECORDING = ROOT / "tests" / "cases" / "model-registry-0.3.8.txt"

# Numbers of the clock, of memory and of chance.
_VARIABLE = re.compile(
    r'(?<=SinceEpoch":")\d+|0x[0-9a-f]+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'
)
# The recording has only the start of these bodies.
_CUT = {
    "very long custom value": {
        "customProperties": {
            "long": {"metadataType": "MetadataStringValue", "string_value": "x" * 70_000}
        }
    },
    "long uri (5000)": {"artifactType": "model-artifact", "name": "lu", "uri": "u" * 5000},
}
_DATABASE_STOPPED = "database stopped: "
# Their requests came at the same time, so they have no order; tests below repeat them.
_CONCURRENT = re.compile(r"race .*|after six PATCHes .*|database back: .*")


@dataclass(frozen=True)
class Exchange:
    """A recorded request with its answer; the answer of a cut one is only the start."""

    title: str
    method: str
    path: str
    body: bytes
    status: int
    media_type: str
    answer: str


def exchanges() -> Iterator[Exchange]:
    for section in RECORDING.read_text().split("## ")[1:]:
        title, *lines = section.rstrip().split("\n")
        if _CONCURRENT.fullmatch(title):
            continue
        method, path = lines[0].split(" ", 1)
        sent, head, *answer = (line[2:] for line in lines[1:])
        status, media_type = head.rsplit(" ", 2)[0].split(" ", 1)
        body = json.dumps(_CUT[title]) if title in _CUT else sent
        text = "\n".join(answer).partition(" … [")[0]
        yield Exchange(title, method, path, body.encode(), int(status), media_type, text)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[RegistryServer]:
    with model_registry(tmp_path / "log") as server:
        yield server


def test_server_answers_as_recorded(registry: RegistryServer) -> None:
    compared = 0
    for exchange in exchanges():
        is_stopped = exchange.title.startswith(_DATABASE_STOPPED)
        registry.set_faults(database="away" if is_stopped else "up")
        response = registry.send(exchange.method, exchange.path, exchange.body)
        media_type = response.headers.get("content-type", "None")
        assert (response.status_code, media_type) == (exchange.status, exchange.media_type), (
            exchange
        )
        answer, expected = (
            _VARIABLE.sub("N", text) for text in (response.text.rstrip("\n"), exchange.answer)
        )
        answer = answer[: len(expected)] if exchange.title in _CUT else answer
        assert answer == expected, exchange
        compared += 1
    assert compared == RECORDING.read_text().count("## ") - 5


@pytest.mark.parametrize("path", ["/registered_models", "/registered_models/1/versions"])
def test_one_of_eight_creations_succeeds(registry: RegistryServer, path: str) -> None:
    body = b'{"name": "race", "registeredModelId": "1"}' if "versions" in path else b'{"name": "r"}'
    with ThreadPoolExecutor(8) as executor:
        responses = list(executor.map(lambda _: registry.send("POST", path, body), range(8)))
    assert sorted(response.status_code for response in responses) == [201] + [409] * 7


def test_the_last_of_six_changes_wins(registry: RegistryServer) -> None:
    registry.api("POST", "/registered_models", name="m")
    for number in range(6):
        content = {"metadataType": "MetadataStringValue", "string_value": "1"}
        registry.api("PATCH", "/registered_models/1", customProperties={f"k{number}": content})
    assert list(registry.api("GET", "/registered_models/1")["customProperties"]) == ["k5"]  # type: ignore[call-overload]


def test_health_hangs_before_the_first_connection_to_the_database(
    registry: RegistryServer,
) -> None:
    registry.set_faults(database="starting")
    assert registry.send("GET", "/registered_models").status_code == 503
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(f"{registry.url}/readyz/health", timeout=0.2, trust_env=False)
