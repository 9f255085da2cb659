"""The FastAPI application of one bundle. It never changes: a swap puts another in its place."""

from collections.abc import Callable
from enum import Enum
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel, Field, create_model

from housectl.contract.schema import Target
from housectl_server.docs_page import render_docs_page
from housectl_server.fast_path import PREDICT_PATH
from housectl_server.health import health_router, not_ready_error
from housectl_server.inference import ServedModel
from housectl_server.problems import EXCEPTION_HANDLERS, openapi_responses
from housectl_server.request_body import read_body
from housectl_server.state import ServingState

_TAGS: list[str | Enum] = ["prediction"]
_ERROR_STATUSES = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)


def create_app(model: ServedModel, look: Callable[[], ServingState]) -> FastAPI:
    """Return the application that answers with a model.

    Args:
        model: What predicts.
        look: Returns the server's standing of now.
    """
    bundle = model.bundle
    target = bundle.record.schema.target

    async def predict(request: Request) -> JSONResponse:
        row = model.rows.read(await read_body(request))
        return JSONResponse({target.response_key: model.predict([row])[0]})

    app = _base_app(version=bundle.version)
    app.add_api_route(
        PREDICT_PATH,
        predict,
        methods=["POST"],
        summary=f"Predict {target.name}",
        tags=_TAGS,
        response_model=_prediction_model(target, example=bundle.golden.rows[0].prediction),
        responses=openapi_responses(*_ERROR_STATUSES),
        openapi_extra=_request_body_schema(model),
    )

    @app.get("/docs", response_class=HTMLResponse, include_in_schema=False)
    async def docs(request: Request) -> str:
        return render_docs_page(bundle, url=str(request.url_for(predict.__name__)))

    app.include_router(health_router(look))
    return app


def create_unready_app(look: Callable[[], ServingState]) -> FastAPI:
    """Return the application of a server that has no champion yet."""
    app = _base_app(version="none")

    @app.post(PREDICT_PATH, tags=_TAGS, responses=openapi_responses(HTTPStatus.SERVICE_UNAVAILABLE))
    async def predict() -> None:
        raise not_ready_error(look())

    @app.get("/docs", include_in_schema=False)
    async def docs() -> None:
        raise not_ready_error(look())

    app.include_router(health_router(look))
    return app


def _base_app(*, version: str) -> FastAPI:
    return FastAPI(
        title="housectl",
        version=version,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers=EXCEPTION_HANDLERS,
    )


def _request_body_schema(model: ServedModel) -> dict[str, object]:
    golden = model.bundle.golden
    example = dict(zip(golden.features, golden.rows[0].row, strict=True))
    content = {"schema": model.rows.model.model_json_schema(), "example": example}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def _prediction_model(target: Target, *, example: float) -> type[BaseModel]:
    described = ", in ".join(
        filter(None, (target.description.rstrip(".") or target.name, target.unit))
    )
    field = Field(alias=target.response_key, description=described, examples=[example])
    return create_model("Prediction", value=(float, field))
