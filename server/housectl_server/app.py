"""The ASGI application of one bundle. It never changes: a hot swap replaces it as a whole."""

from collections.abc import Callable, Coroutine
from enum import Enum
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field, create_model
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from housectl.contract.schema import Target
from housectl_server.endpoints.docs_page import PAGE_HEADERS, render_docs_page
from housectl_server.endpoints.drift import drift_router
from housectl_server.endpoints.explain import EXPLAIN_PATH, ExplainEndpoint, explain_route
from housectl_server.endpoints.fast_path import PredictFastPath
from housectl_server.endpoints.health import health_router, not_ready_error
from housectl_server.endpoints.inference.infer import Inference
from housectl_server.endpoints.inference.routes import infer_paths, inference_routes
from housectl_server.endpoints.invocations import INVOCATIONS_PATH, Invocations, invocations_route
from housectl_server.endpoints.metrics import metrics_router
from housectl_server.endpoints.predict import PREDICT_PATH, PredictEndpoint
from housectl_server.endpoints.prediction_route import prediction_route
from housectl_server.endpoints.prediction_thread import PredictionThread
from housectl_server.endpoints.table_endpoint import TableEndpoint
from housectl_server.http.answer_headers import API_KEY_NAME
from housectl_server.http.api_keys import API_KEY_SCHEMES
from housectl_server.http.methods import HeadAsGet, answer_other_method
from housectl_server.http.problems import (
    answer_problem,
    openapi_responses,
)
from housectl_server.http.request_body import BodyReader
from housectl_server.model.row_errors import MAX_ROWS
from housectl_server.model.served_model import ServedModel
from housectl_server.monitoring.monitor import Monitor
from housectl_server.page.assets import page_routes
from housectl_server.page.model_endpoint import model_router
from housectl_server.state import ServingState

_TAGS: list[str | Enum] = ["prediction"]
_EXCEPTION_HANDLERS: dict[
    int | type[Exception], Callable[[Request, Any], Coroutine[Any, Any, Response]]
] = {
    HTTPStatus.METHOD_NOT_ALLOWED: answer_other_method,
    HTTPException: answer_problem,
    Exception: answer_problem,
}


def create_app(
    model: ServedModel,
    get_state: Callable[[], ServingState],
    monitor: Monitor,
    thread: PredictionThread,
) -> ASGIApp:
    """Return the application that serves a model.

    Args:
        model: Model that predicts.
        get_state: Returns the server's current state.
        monitor: The counts of the server.
        thread: Predicts batches.
    """
    bodies = BodyReader()
    predict = PredictEndpoint(model, bodies, thread)
    invocations = TableEndpoint(Invocations(model).answer, bodies, thread)
    infer = TableEndpoint(Inference(model).answer, bodies, thread)
    explain = ExplainEndpoint(model, bodies, thread)
    api = _create_api(model, get_state, monitor)
    api.router.routes += [
        _predict_route(model, predict),
        invocations_route(model, invocations),
        explain_route(model, explain),
        *inference_routes(model, infer, get_state),
    ]
    endpoints: dict[str, tuple[str, ASGIApp]] = {
        PREDICT_PATH: (PREDICT_PATH, predict),
        INVOCATIONS_PATH: (INVOCATIONS_PATH, invocations),
        EXPLAIN_PATH: (EXPLAIN_PATH, explain),
        **{path: (template, infer) for path, template in infer_paths(model).items()},
    }
    return PredictFastPath(endpoints, HeadAsGet(api))


def _create_api(
    model: ServedModel, get_state: Callable[[], ServingState], monitor: Monitor
) -> FastAPI:
    """Return the FastAPI application of a model, without the routes that predict."""
    api = _base_api(version=model.bundle.version)

    async def docs(request: Request) -> HTMLResponse:
        page = render_docs_page(
            model.bundle,
            url=_public_url(request, "predict"),
            requires_key=API_KEY_NAME in request.scope,
        )
        return HTMLResponse(page, headers=PAGE_HEADERS)

    # FastAPI caches the functions of its routes: one of them would keep a replaced model in memory.
    api.router.routes.append(Route("/docs", docs, include_in_schema=False))
    api.include_router(health_router(get_state, monitor))
    api.include_router(model_router(get_state))
    api.include_router(metrics_router(monitor))
    api.include_router(drift_router(get_state, monitor))
    return api


def create_unready_app(get_state: Callable[[], ServingState], monitor: Monitor) -> ASGIApp:
    """Return the application of a server that has no champion yet."""
    api = _base_api(version="none")

    async def predict() -> None:
        raise not_ready_error(get_state())

    for path in (PREDICT_PATH, INVOCATIONS_PATH, EXPLAIN_PATH):
        responses = openapi_responses(HTTPStatus.SERVICE_UNAVAILABLE)
        api.post(path, tags=_TAGS, responses=responses)(predict)

    @api.get("/docs", include_in_schema=False)
    async def docs() -> None:
        raise not_ready_error(get_state())

    api.router.routes += inference_routes(None, api, get_state)
    api.include_router(health_router(get_state, monitor))
    api.include_router(model_router(get_state))
    api.include_router(metrics_router(monitor))
    api.include_router(drift_router(get_state, monitor))
    return HeadAsGet(api)


def _public_url(request: Request, route: str) -> str:
    """Return the URL of a route for clients, which a proxy may serve with TLS."""
    scheme = request.headers.get("x-forwarded-proto", request.url.scheme)
    return str(request.url_for(route).replace(scheme="https" if scheme == "https" else "http"))


def _base_api(*, version: str) -> FastAPI:
    api = _Api(
        title="housectl",
        version=version,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers=_EXCEPTION_HANDLERS,
    )

    api.router.routes.extend(page_routes())
    return api


class _Api(FastAPI):
    """A FastAPI application whose description names API keys."""

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI description, which FastAPI makes once."""
        if self.openapi_schema is None:
            schema = super().openapi()
            schema.setdefault("components", {})["securitySchemes"] = API_KEY_SCHEMES
            # With an empty alternative, because only a server with a file of keys requires one.
            schema["security"] = [{}, *({name: []} for name in API_KEY_SCHEMES)]
        return super().openapi()


def _predict_route(model: ServedModel, endpoint: ASGIApp) -> APIRoute:
    """Return the route of predictions."""
    target = model.bundle.record.schema.target
    prediction = _prediction_model(target, example=model.example.prediction)

    async def predict() -> None: ...

    return prediction_route(
        PREDICT_PATH,
        predict,
        endpoint,
        summary=f"Predict {target.name} for a row, or for each row of an array",
        response_model=prediction | list[prediction],  # type: ignore[valid-type]
        content=_body_formats(model),
    )


def _body_formats(model: ServedModel) -> dict[str, object]:
    names = model.bundle.record.schema.feature_names
    example = dict(zip(names, model.example.row, strict=True))
    row = model.rows.model.model_json_schema()
    rows = {"type": "array", "title": "Rows", "items": row, "maxItems": MAX_ROWS}
    return {"application/json": {"schema": {"anyOf": [row, rows]}, "example": example}}


def _prediction_model(target: Target, *, example: float) -> type[BaseModel]:
    description = target.description.rstrip(".") or target.name
    if target.unit:
        description += f", in {target.unit}"
    field = Field(alias=target.response_key, description=description, examples=[example])
    return create_model("Prediction", value=(float, field))
