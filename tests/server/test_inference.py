"""The Open Inference Protocol, with the requests of other servers' clients."""

import gzip
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import tritonclient.http as triton

from housectl.contract.bundle import Bundle
from housectl.contract.cells import Cell
from housectl.store.local import LocalStore
from tests.server.bundles import make_bundle
from tests.server.running import RunningServer, running, running_bundle
from tests.server.typed_bundles import HOME, HOMES, typed_bundle

RECORDED = json.loads((Path(__file__).parent / "recorded" / "mlserver.json").read_text())
INFER = "/v2/models/champion/infer"
CHANGES: tuple[Mapping[str, Cell], ...] = (
    {},
    {"rooms": None, "pool": None, "town": None, "built": None},
    {"town": "Bonn", "agent": "B", "pool": False},
    {"town": "Bad Orb, Hessen", "heating": "gas", "area": 1e6, "sold": "1969-07-20T20:17:40"},
)
ROWS = [dict(HOME) | dict(changes) for changes in CHANGES]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_bundle(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="module")
def server(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_bundle(tmp_path_factory.mktemp("inference"), bundle) as server:
        yield server


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    path = tmp_path_factory.mktemp("typed")
    with running_bundle(path, typed_bundle(path)) as server:
        yield server


def tensor(
    name: str, shape: Sequence[int], data: object, datatype: str = "FP64"
) -> dict[str, object]:
    return {"name": name, "shape": shape, "datatype": datatype, "data": data}


def houses(data: object = (6.5, 5.0), *, rows: int = 1, **fields: object) -> dict[str, object]:
    return {"inputs": [tensor("input-0", [rows, 2], data)], **fields}


def columns(rows: Sequence[Mapping[str, object]], shape: Sequence[int]) -> dict[str, object]:
    """Return a request with one tensor per feature of typed rows."""
    datatypes = {"area": "FP64", "rooms": "INT32", "pool": "BOOL"}
    return {
        "inputs": [
            tensor(name, shape, [row[name] for row in rows], datatypes.get(name, "BYTES"))
            for name in HOMES.feature_names
        ]
    }


def predictions(response: httpx.Response) -> list[float]:
    assert response.status_code == 200, response.text
    (output,) = response.json()["outputs"]
    assert output["shape"] == [len(output["data"]), 1]
    data: list[float] = output["data"]
    return data


def form_of(value: object) -> object:
    """Return a JSON value with types instead of values."""
    if isinstance(value, dict):
        return {name: form_of(each) for name, each in value.items() if name != "parameters"}
    if isinstance(value, list):
        return [form_of(value[0])] if value else []
    return type(value)


@pytest.mark.parametrize("recorded", RECORDED, ids=[each["name"] for each in RECORDED])
def test_answer_has_form_of_recorded_one(
    server: RunningServer, recorded: Mapping[str, Any]
) -> None:
    request = {"json": recorded["body"]} if recorded["body"] else {}
    response = server.client.request(recorded["method"], recorded["path"], **request)
    answer = response.json()
    if recorded["status"] in {422, 500}:
        assert response.status_code == 400
        assert form_of(answer) == {"error": str}
        return
    assert response.status_code == recorded["status"]
    if "metadata" in recorded["name"]:
        assert answer.keys() == recorded["answer"].keys()
    elif recorded["answer"]:
        assert form_of(answer) == form_of(recorded["answer"])
    if "outputs" in answer and recorded["body"]:
        (output,), (expected,) = answer["outputs"], recorded["answer"]["outputs"]
        assert output | {"name": ""} == expected | {"name": ""}


def test_metadata_has_names_datatypes_and_shapes(typed: RunningServer) -> None:
    answer = typed.client.get("/v2/models/champion").json()
    inputs = {each["name"]: each["datatype"] for each in answer["inputs"]}
    assert inputs == {
        **dict.fromkeys(HOMES.feature_names, "BYTES"),
        "area": "FP64",
        "rooms": "FP64",
        "pool": "BOOL",
    }
    assert {tuple(each["shape"]) for each in answer["inputs"]} == {(-1, 1)}
    assert answer["outputs"] == [{"name": "predicted_price", "datatype": "FP64", "shape": [-1, 1]}]


def test_versions_are_those_of_the_bundle(server: RunningServer, bundle: Bundle) -> None:
    for version in (bundle.version, bundle.digest):
        path = f"/v2/models/champion/versions/{version}"
        assert server.client.get(path).json()["versions"] == [bundle.version]
        assert server.client.get(f"{path}/ready").json() == {"ready": True}
        answer = server.client.post(f"{path}/infer", json=houses(id="7"))
        assert predictions(answer) == [30.0]
        assert (answer.json()["model_version"], answer.json()["id"]) == (bundle.version, "7")
    for path in ("versions/000000000000", "versions/1/ready", "nowhere", "versions"):
        answer = server.client.get(f"/v2/models/champion/{path}")
        assert (answer.status_code, form_of(answer.json())) == (404, {"error": str})
    assert server.client.post(f"{path}/infer", json=houses()).status_code == 404
    assert form_of(server.client.get(INFER).json()) == {"error": str}


@pytest.mark.parametrize("shape", [[4], [4, 1]])
def test_typed_columns_predict_as_rows_do(typed: RunningServer, shape: list[int]) -> None:
    expected = [each["predicted_price"] for each in typed.predict(ROWS).json()]
    assert expected == [typed.predict(row).json()["predicted_price"] for row in ROWS]
    assert len(set(expected)) == len(ROWS)
    assert predictions(typed.client.post(INFER, json=columns(ROWS, shape))) == expected
    many = columns(ROWS * 250, [1000])
    assert predictions(typed.client.post(INFER, json=many)) == expected * 250


def test_missing_column_and_nan_are_missing_values(typed: RunningServer) -> None:
    request = columns(ROWS, [4])
    (area, _, *others) = request["inputs"]  # type: ignore[misc]
    (expected,) = predictions(
        typed.client.post(INFER, json=columns([ROWS[0] | {"rooms": None}], [1]))
    )
    for inputs in (
        [area, *others],
        [area, tensor("rooms", [4, 1], [[math.nan]] * 4), *others],
        [area, tensor("rooms", [4], [None] * 4, "FP32"), *others],
        [area, tensor("owner", [4], ["Smith"] * 4, "BYTES"), *others],
    ):
        body = json.dumps({"inputs": inputs})
        assert predictions(typed.client.post(INFER, content=body))[0] == expected


@pytest.mark.parametrize(
    ("request_body", "message"),
    [
        (houses([6.5]), "has 1 values"),
        (houses([[6.5, 5], [6.5]], rows=2), "data of another shape"),
        (houses([[6.5, [5]]]), "not of its datatype"),
        (houses([6.5, None]), "row 0: LSTAT is missing. Expected for LSTAT: a finite number"),
        (houses([True, 5]), "not of its datatype FP64"),
        (houses([1e39, 5]), "RM is not a finite float32 number"),
        (houses([10**400, 5]), "too large"),
        (houses({"a": 1}), "inputs.0.data"),
        (houses(outputs=[{"name": "predict"}]), "output predict is unknown"),
        (houses(id=7), "id: Input should be a valid string"),
        (houses([1.0] * 20_002, rows=10_001), "at most 10000 rows"),
        ({"inputs": []}, "RM is missing; LSTAT is missing"),
        ({"inputs": [tensor("RM", [1], [6.5])]}, "LSTAT is missing"),
        ({"inputs": [tensor("RM", [1], [6.5]), tensor("RM", [1], [6.5])]}, "same name"),
        ({"inputs": [tensor("RM", [1], [6.5]), tensor("LSTAT", [2], [5, 5])]}, "different numbers"),
        ({"inputs": [tensor("RM", [1], [6.5]), tensor("rm", [1], [5])]}, "rm is unknown"),
        ({"inputs": [tensor("RM", [1, 2, 1], [6.5, 5])]}, "has the shape"),
        ({"inputs": [tensor("RM", [], [6.5])]}, "has the shape"),
        ({"inputs": [tensor("x", [1, 2], [6.5, 5], "FP128")]}, "none of the datatypes"),
        ({"inputs": [tensor("x", [1, 2], [6.5, 5], "INT64")]}, "not of its datatype INT64"),
        ({"inputs": [tensor("x", [1, 2], [300, 5], "UINT8")]}, "not of its datatype UINT8"),
        ({"inputs": [tensor("x", [1, 2], ["6.5", "5"], "BYTES")]}, "RM is not a number"),
        ({"inputs": [tensor("x", [1, 2], [True, False], "BOOL")]}, "RM is not a number"),
        ({"inputs": [tensor("x", [-1, 2], [])]}, "greater than or equal to 0"),
        ({"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP64"}]}, "has no data"),
        ([], "The request is invalid"),
    ],
)
def test_invalid_request_is_refused(
    server: RunningServer, request_body: object, message: str
) -> None:
    response = server.client.post(INFER, content=json.dumps(request_body))
    assert response.status_code == 400, response.text
    assert message in response.json()["error"]
    assert response.json().keys() == {"error"}


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"", {}, 400),
        (b'{"inputs": [', {}, 400),
        (b"[" * 10_000, {}, 400),
        (b'{"id": "\\ud800", "inputs": []}', {}, 400),
        (b" " * (16 * 2**20 + 1), {}, 413),
        (b"{}", {"content-encoding": "br"}, 415),
        (b"{}", {"inference-header-content-length": "3"}, 400),
        (b"{}", {"inference-header-content-length": "-1"}, 400),
    ],
)
def test_unreadable_body_is_refused(
    server: RunningServer, content: bytes, headers: dict[str, str], status: int
) -> None:
    response = server.client.post(INFER, content=content, headers=headers)
    assert response.status_code == status
    assert response.json().keys() == {"error"}


def test_gzip_body_and_empty_tensor_are_accepted(server: RunningServer) -> None:
    body = gzip.compress(json.dumps(houses([6.5, 5] * 3, rows=3)).encode())
    response = server.client.post(INFER, content=body, headers={"content-encoding": "gzip"})
    assert predictions(response) == [30.0] * 3
    assert predictions(server.client.post(INFER, json=houses([], rows=0))) == []


def test_server_without_champion_is_live_and_not_ready(store: LocalStore, output: Path) -> None:
    with running(store.path, output) as server:
        assert server.client.get("/v2").json()["name"] == "housectl"
        assert server.client.get("/v2/health/live").json() == {"live": True}
        assert server.client.get("/v2/health/ready").status_code == 400
        for path in ("", "/ready"):
            response = server.client.get(f"/v2/models/champion{path}")
            assert (response.status_code, form_of(response.json())) == (404, {"error": str})
        assert server.client.post(INFER, json=houses()).status_code == 404
        assert server.client.post("/invocations", json={}).status_code == 503


@pytest.fixture(scope="module")
def client(server: RunningServer) -> Iterator[triton.InferenceServerClient]:
    with triton.InferenceServerClient(server.url.removeprefix("http://")) as client:
        yield client


def triton_input(name: str, values: "np.ndarray[Any, Any]", *, binary: bool) -> triton.InferInput:
    datatype = "BYTES" if values.dtype == object else f"FP{8 * values.dtype.itemsize}"
    if values.dtype == np.bool_:
        datatype = "BOOL"
    tensor = triton.InferInput(name, list(values.shape), datatype)
    tensor.set_data_from_numpy(values, binary_data=binary)
    return tensor


def test_triton_client_reads_health_and_metadata(
    client: triton.InferenceServerClient, bundle: Bundle
) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("champion")
    assert client.is_model_ready("champion", bundle.version)
    assert not client.is_model_ready("champion", "1")
    assert client.get_server_metadata()["name"] == "housectl"
    metadata = client.get_model_metadata("champion")
    assert [each["name"] for each in metadata["inputs"]] == ["RM", "LSTAT"]
    with pytest.raises(triton.InferenceServerException, match="unknown"):
        client.get_model_metadata("other")


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_triton_client_predicts_one_tensor(
    client: triton.InferenceServerClient, binary: bool, dtype: type[np.floating[Any]]
) -> None:
    rows = np.array([[6.5, 5.0], [5.5, 5.0]] * 1000, dtype=dtype)
    result = client.infer(
        "champion",
        [triton_input("input-0", rows, binary=binary)],
        outputs=[triton.InferRequestedOutput("predicted_price", binary_data=binary)],
        request_id="triton-1",
    )
    assert result.get_response()["id"] == "triton-1"
    assert result.as_numpy("predicted_price").ravel().tolist() == [30.0, 20.0] * 1000


@pytest.mark.parametrize("binary", [False, True])
def test_triton_client_predicts_typed_columns(typed: RunningServer, binary: bool) -> None:
    rows = [row for row in ROWS if None not in row.values()]
    inputs = []
    for name in HOMES.feature_names:
        values = [row[name] for row in rows]
        array = np.array(values, dtype=object if isinstance(values[0], str) else None)
        inputs.append(triton_input(name, array.reshape(-1, 1), binary=binary))
    expected = [each["predicted_price"] for each in typed.predict(rows).json()]
    with triton.InferenceServerClient(typed.url.removeprefix("http://")) as client:
        result = client.infer("champion", inputs, request_compression_algorithm="gzip")
    assert result.as_numpy("predicted_price").ravel().tolist() == expected


def test_damaged_binary_data_is_refused(server: RunningServer) -> None:
    for datatype, size, data in (
        ("FP64", 16, bytes(15)),
        ("FP64", 15, bytes(15)),
        ("FP64", "16", bytes(16)),
        ("FP64", -1, bytes(16)),
        ("FP32", 16, bytes(16)),
        ("BYTES", 6, b"\x01\x00\x00\x00a\x01"),
        ("BYTES", 5, b"\xff\xff\xff\xffa"),
        ("BYTES", 5, b"\x01\x00\x00\x00\xff"),
        ("BOOL", 3, b"\x01\x00\x01"),
    ):
        each = {"name": "x", "shape": [1, 2], "datatype": datatype}
        text = json.dumps({"inputs": [each | {"parameters": {"binary_data_size": size}}]}).encode()
        headers = {"inference-header-content-length": str(len(text))}
        response = server.client.post(INFER, content=text + data, headers=headers)
        assert response.status_code == 400, response.text
        assert response.json().keys() == {"error"}
