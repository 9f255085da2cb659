"""Requests of batch protocols: the same rows in each form that an OpenAPI document describes."""

import json
from collections.abc import Iterator, Mapping, Sequence

from housectl.contract.column_types import Boolean, ColumnType, Number
from housectl.contract.schema import Schema
from housectl.verification.client import Response
from housectl.verification.openapi_check import body_forms
from housectl.verification.probes import Prediction, Predictions, Probe

BATCH_CHECK = "batches"

_INVOCATIONS = "/invocations"
_INFER = "/v2/models/{model}/infer"
_MODEL = "champion"

Fields = Mapping[str, object]


def batch_probes(
    openapi: Response, rows: Sequence[Fields], expected: Sequence[Prediction], schema: Schema
) -> Iterator[Probe]:
    """Yield one probe per form; none for a server that describes no batches.

    Args:
        openapi: OpenAPI document of the server.
        rows: Fields of each row.
        expected: Prediction for each row.
        schema: Schema of the rows.
    """
    if any(form.get("type") == "array" for form in body_forms(openapi)):
        key = schema.target.response_key
        yield _probe("/predict", rows, Predictions(rows=expected, key=key))
    if openapi.json_path("paths", _INVOCATIONS):
        body = {"dataframe_records": rows}
        yield _probe(_INVOCATIONS, body, Predictions(rows=expected, path=("predictions",)))
    if openapi.json_path("paths", _INFER):
        predictions = Predictions(rows=expected, path=("outputs", 0, "data"))
        yield _probe(_INFER.format(model=_MODEL), _tensors(rows, schema), predictions)


def _probe(path: str, body: object, expected: Predictions) -> Probe:
    return Probe(check=BATCH_CHECK, path=path, body=json.dumps(body).encode(), expected=expected)


def _tensors(rows: Sequence[Fields], schema: Schema) -> object:
    """Return a request of the Open Inference Protocol, with one tensor per feature."""
    tensors = [
        {
            "name": feature.name,
            "shape": [len(rows), 1],
            "datatype": _datatype(feature.type),
            "data": [row.get(feature.name) for row in rows],
        }
        for feature in schema.features
    ]
    return {"inputs": tensors}


def _datatype(column: ColumnType) -> str:
    match column:
        case Number():
            return "FP64"
        case Boolean():
            return "BOOL"
        case _:
            return "BYTES"
