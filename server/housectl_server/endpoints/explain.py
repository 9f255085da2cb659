"""POST /explain: a prediction for a row, with the contribution of each feature."""

from http import HTTPStatus

import msgspec
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope

from housectl.contract.contributions import ContributionScale
from housectl_server.endpoints.asgi_endpoint import JSON_HEADERS, AsgiEndpoint, Content
from housectl_server.endpoints.prediction_route import prediction_route
from housectl_server.endpoints.prediction_thread import PredictionThread
from housectl_server.http.content_coding import decode_body
from housectl_server.http.request_body import MAX_BODY_BYTES, BodyReader
from housectl_server.model.explanation import NotExplainableError
from housectl_server.model.served_model import ServedModel

EXPLAIN_PATH = "/explain"


class Contribution(BaseModel):
    """Contribution of one feature to a prediction."""

    feature: str
    value: float | str | bool | None = Field(description="Value of the feature in the row.")
    contribution: float


class Explanation(BaseModel):
    """A prediction as the sum of a baseline and of contributions."""

    prediction: float
    baseline: float = Field(description="Sum without any contribution.")
    scale: ContributionScale = Field(
        description="Baseline and contributions add up to the prediction (`additive`), or to its "
        "natural logarithm (`log`)."
    )
    contributions: list[Contribution]


class ExplainEndpoint(AsgiEndpoint):
    """ASGI endpoint that explains the prediction for a row, in the prediction thread.

    Args:
        model: Model that predicts.
        bodies: Reads the bodies of requests.
        thread: Computes the contributions.
    """

    def __init__(self, model: ServedModel, bodies: BodyReader, thread: PredictionThread) -> None:
        self._model = model
        self._read_body = bodies.read
        self._thread = thread

    async def _answer(self, scope: Scope, receive: Receive) -> Content:
        body = await self._read_body(receive, _row_limit)

        def answer() -> Content:
            row = self._model.rows.parse(decode_body(scope, body, _row_limit))
            try:
                explanation = self._model.explain(row)
            except NotExplainableError as error:
                raise HTTPException(HTTPStatus.CONFLICT, str(error)) from error
            return msgspec.json.encode(explanation), JSON_HEADERS

        return await self._thread.run(answer, size=len(body))


def _row_limit(_: bytes) -> int:
    return MAX_BODY_BYTES


def explain_route(model: ServedModel, endpoint: ASGIApp) -> APIRoute:
    """Return the route of explanations."""
    names = model.bundle.record.schema.feature_names
    body = {
        "schema": model.rows.model.model_json_schema(),
        "example": dict(zip(names, model.example.row, strict=True)),
    }
    return prediction_route(
        EXPLAIN_PATH,
        _explain,
        endpoint,
        summary="Predict a row, and show the contribution of each feature",
        response_model=Explanation,
        content={"application/json": body},
        errors=[HTTPStatus.CONFLICT],
    )


async def _explain() -> None: ...
