"""Requests with random mistakes: each gets an answer, or an error of the client."""

import copy
import json
import random
from collections.abc import Iterator

import pytest

from tests.server.running import RunningServer, running_bundle
from tests.server.test_inference import INFER, ROWS, columns
from tests.server.test_invocations import NAMES, VALUES
from tests.server.typed_bundles import HOME, typed_bundle

REQUESTS = 400
BODIES = {
    "/predict": [HOME, ROWS],
    INFER: [columns(ROWS, [4]) | {"id": "1", "outputs": [{"name": "predicted_price"}]}],
    "/invocations": [
        {"dataframe_split": {"columns": NAMES, "data": VALUES}},
        {"dataframe_records": ROWS},
        {"inputs": {name: [row[name] for row in ROWS] for name in NAMES}},
    ],
}
ODD_VALUES = (
    *(None, True, False, 0, -1, 1.5, 10**19, 10**400, -1e308, float("nan"), float("inf")),
    *("", "\x00", "é", "\ud800", "x" * 300, "1", "FP64", "BOOL", "BYTES", "UINT8", "FP16"),
    *([], {}, [[]], [[[1]]], {"a": 1}, [None], [1, "a"], {"binary_data_size": 8}),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    path = tmp_path_factory.mktemp("generated")
    with running_bundle(path, typed_bundle(path)) as server:
        yield server


def mutate(value: object, rng: random.Random) -> object:
    """Return a JSON value with one change at a random place."""
    if not isinstance(value, dict | list) or not value or rng.random() < 0.2:
        return copy.deepcopy(rng.choice(ODD_VALUES))
    place = rng.choice(list(value) if isinstance(value, dict) else range(len(value)))
    match rng.randrange(5):
        case 0:
            del value[place]
        case 1 if isinstance(value, dict):
            value[rng.choice(("x" * 150, "", "inputs", "parameters"))] = copy.deepcopy(
                rng.choice(ODD_VALUES)
            )
        case 1:
            value.append(copy.deepcopy(rng.choice(value)))
        case _:
            value[place] = mutate(value[place], rng)
    return value


def encode(value: object, rng: random.Random) -> bytes:
    """Return a JSON text, one of ten of which is damaged."""
    text = json.dumps(value).encode()
    if rng.random() < 0.1:
        start = rng.randrange(len(text))
        text = text[:start] + rng.randbytes(2) + text[start + rng.randrange(3) :]
    return text


@pytest.mark.parametrize("path", BODIES)
def test_no_request_fails_the_server(server: RunningServer, path: str) -> None:
    rng = random.Random(1)
    statuses = set()
    for _ in range(REQUESTS):
        value: object = copy.deepcopy(rng.choice(BODIES[path]))
        for _ in range(rng.randint(1, 3)):
            value = mutate(value, rng)
        headers = {}
        if rng.random() < 0.2:
            headers["inference-header-content-length"] = rng.choice(("0", "10", "99999", "x", ""))
            headers["content-type"] = rng.choice(("text/csv", "application/json", ""))
        response = server.client.post(path, content=encode(value, rng), headers=headers)
        assert response.status_code < 500, (value, response.text)
        assert response.json() is not None
        statuses.add(response.status_code)
    assert {200, 400} <= statuses
