"""POST /invocations: the requests and answers of MLflow's scoring server."""

from collections.abc import Sequence

import msgspec
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.types import ASGIApp, Scope

from housectl_server.endpoints.asgi_endpoint import JSON_HEADERS, Content
from housectl_server.endpoints.logged_predictions import predict_and_log
from housectl_server.endpoints.prediction_route import prediction_route
from housectl_server.model.dataframes import FORMS, csv_columns, json_columns
from housectl_server.model.row_errors import MAX_ROWS
from housectl_server.model.served_model import ServedModel
from housectl_server.model.tables import TableReader

INVOCATIONS_PATH = "/invocations"
_CSV_TYPE = "text/csv"


class Predictions(BaseModel):
    """One prediction per row."""

    predictions: list[float]


class Invocations:
    """Answers requests in MLflow's forms.

    Args:
        model: Model that predicts.
    """

    def __init__(self, model: ServedModel) -> None:
        self._tables = TableReader(model.bundle.record.schema, model.rows.errors)
        self._model = model

    def answer(self, scope: Scope, body: bytes) -> Content:
        """Return the predictions for the rows of a body.

        Raises:
            UnreadableRowError: The body is not JSON, or not CSV with that content type.
            InvalidRowError: The body has another form, or invalid rows.
        """
        if _is_csv(scope):
            self._tables.check_size(body)
            columns = csv_columns(body)
        else:
            columns = json_columns(self._tables.parse(body), self._tables.features)
        predictions = predict_and_log(self._model, self._tables.read(columns), scope)
        return msgspec.json.encode({"predictions": predictions}), JSON_HEADERS


def _is_csv(scope: Scope) -> bool:
    content_type: bytes = dict(scope["headers"]).get(b"content-type", b"")
    return content_type.partition(b";")[0].strip().lower() == _CSV_TYPE.encode()


def invocations_route(model: ServedModel, endpoint: ASGIApp) -> APIRoute:
    """Return the route of MLflow's requests."""
    return prediction_route(
        INVOCATIONS_PATH,
        _invocations,
        endpoint,
        summary="Predict the rows of a data frame, as MLflow's scoring server",
        response_model=Predictions,
        content=_body_formats(model),
    )


async def _invocations() -> None: ...


def _body_formats(model: ServedModel) -> dict[str, object]:
    names = model.bundle.record.schema.feature_names
    row = model.example.row
    forms = [
        {"type": "object", "title": form, "required": [form], "properties": {form: schema}}
        for form, schema in zip(FORMS, _form_schemas(model), strict=True)
    ]
    example = {"dataframe_split": {"columns": names, "data": [row]}}
    return {
        "application/json": {"schema": {"oneOf": forms}, "example": example},
        _CSV_TYPE: {"schema": {"type": "string"}},
    }


def _form_schemas(model: ServedModel) -> Sequence[object]:
    """Return the schema of each form."""
    names = {"type": "array", "items": {"type": "string"}}
    lists = {"type": "array", "items": {"type": "array"}, "maxItems": MAX_ROWS}
    records = {
        "type": "array",
        "items": model.rows.model.model_json_schema(),
        "maxItems": MAX_ROWS,
    }
    split = {
        "type": "object",
        "required": ["columns", "data"],
        "properties": {"columns": names, "data": lists},
    }
    columns = {"type": "object", "additionalProperties": {"type": "array"}}
    rows = {"anyOf": [lists, records]}
    return split, records, {"anyOf": [columns, lists, records]}, rows
