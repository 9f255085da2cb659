"""The ASGI application of one bundle. It never changes: a hot swap replaces it as a whole."""

from collections.abc import Callable, Coroutine
from enum import Enum
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field, create_model
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from housectl.contract.schema import Target
from housectl_server.endpoints.docs_page import PAGE_HEADERS, render_docs_page
from housectl_server.endpoints.fast_path import PredictFastPath
from housectl_server.endpoints.health import health_router, not_ready_error
from housectl_server.endpoints.predict import PREDICT_PATH, PredictEndpoint
from housectl_server.http.methods import HeadAsGet, answer_other_method
from housectl_server.http.problems import answer_problem, openapi_responses
from housectl_server.model.served_model import ServedModel
from housectl_server.state import ServingState

_TAGS: list[str | Enum] = ["prediction"]
_ERROR_STATUSES = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)
_EXCEPTION_HANDLERS: dict[
    int | type[Exception], Callable[[Request, Any], Coroutine[Any, Any, Response]]
] = {
    HTTPStatus.METHOD_NOT_ALLOWED: answer_other_method,
    HTTPException: answer_problem,
    Exception: answer_problem,
}


def create_app(model: ServedModel, get_state: Callable[[], ServingState]) -> ASGIApp:
    """Return the application that serves a model.

    Args:
        model: Model that predicts.
        get_state: Returns the server's current state.
    """
    endpoint = PredictEndpoint(model)
    return PredictFastPath(endpoint, HeadAsGet(create_api(model, endpoint, get_state)))


def create_api(
    model: ServedModel, endpoint: ASGIApp, get_state: Callable[[], ServingState]
) -> FastAPI:
    """Return the FastAPI application of a model: routing, documentation and health.

    Args:
        model: Model that predicts.
        endpoint: Answers predictions.
        get_state: Returns the server's current state.
    """
    api = _base_api(version=model.bundle.version)
    api.router.routes.append(_predict_route(model, endpoint))

    async def docs(request: Request) -> HTMLResponse:
        page = render_docs_page(model.bundle, url=_public_url(request, "predict"))
        return HTMLResponse(page, headers=PAGE_HEADERS)

    # FastAPI caches the functions of its routes: one of them would keep a replaced model in memory.
    api.router.routes.append(Route("/docs", docs, include_in_schema=False))
    api.include_router(health_router(get_state))
    return api


def create_unready_app(get_state: Callable[[], ServingState]) -> ASGIApp:
    """Return the application of a server that has no champion yet."""
    api = _base_api(version="none")

    @api.post(PREDICT_PATH, tags=_TAGS, responses=openapi_responses(HTTPStatus.SERVICE_UNAVAILABLE))
    async def predict() -> None:
        raise not_ready_error(get_state())

    @api.get("/docs", include_in_schema=False)
    async def docs() -> None:
        raise not_ready_error(get_state())

    api.include_router(health_router(get_state))
    return HeadAsGet(api)


def _public_url(request: Request, route: str) -> str:
    """Return the URL of a route for clients, which a proxy may serve with TLS."""
    scheme = request.headers.get("x-forwarded-proto", request.url.scheme)
    return str(request.url_for(route).replace(scheme="https" if scheme == "https" else "http"))


def _base_api(*, version: str) -> FastAPI:
    api = FastAPI(
        title="housectl",
        version=version,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers=_EXCEPTION_HANDLERS,
    )

    # The location is relative, so it also works behind a proxy that adds a prefix.
    @api.get("/", include_in_schema=False)
    async def root() -> RedirectResponse:
        return RedirectResponse("docs")

    return api


def _predict_route(model: ServedModel, endpoint: ASGIApp) -> APIRoute:
    """Return a route that FastAPI describes and matches, and that the endpoint answers."""
    target = model.bundle.record.schema.target

    # FastAPI names and describes a route by a function, which is never called here.
    async def predict() -> None: ...

    route = APIRoute(
        PREDICT_PATH,
        predict,
        methods=["POST"],
        summary=f"Predict {target.name}",
        tags=_TAGS,
        response_model=_prediction_model(target, example=model.example.prediction),
        responses=openapi_responses(*_ERROR_STATUSES),
        openapi_extra=_request_body_schema(model),
    )
    route.app = endpoint
    return route


def _request_body_schema(model: ServedModel) -> dict[str, object]:
    names = model.bundle.record.schema.feature_names
    example = dict(zip(names, model.example.row, strict=True))
    content = {"schema": model.rows.model.model_json_schema(), "example": example}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def _prediction_model(target: Target, *, example: float) -> type[BaseModel]:
    description = target.description.rstrip(".") or target.name
    if target.unit:
        description += f", in {target.unit}"
    field = Field(alias=target.response_key, description=description, examples=[example])
    return create_model("Prediction", value=(float, field))
