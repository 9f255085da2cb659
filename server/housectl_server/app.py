"""The FastAPI application of one bundle. It never changes: a swap puts another in its place."""

from collections.abc import Callable
from enum import Enum
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel, Field, create_model

from housectl.contract.schema import Target
from housectl_server.docs_page import guide
from housectl_server.fast_path import PREDICT_PATH
from housectl_server.health import health_router, no_champion
from housectl_server.inference import Model
from housectl_server.problems import EXCEPTION_HANDLERS, documented
from housectl_server.request_body import read_body
from housectl_server.state import Standing

_TAGS: list[str | Enum] = ["prediction"]
_REFUSALS = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)


def application(model: Model, look: Callable[[], Standing]) -> FastAPI:
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

    app = _empty(version=bundle.version)
    app.add_api_route(
        PREDICT_PATH,
        predict,
        methods=["POST"],
        summary=f"Predict {target.name}",
        tags=_TAGS,
        response_model=_prediction_model(target, example=bundle.golden.rows[0].prediction),
        responses=documented(*_REFUSALS),
        openapi_extra=_described_body(model),
    )

    @app.get("/docs", response_class=HTMLResponse, include_in_schema=False)
    async def docs(request: Request) -> str:
        return guide(bundle, url=str(request.url_for(predict.__name__)))

    app.include_router(health_router(look))
    return app


def waiting_application(look: Callable[[], Standing]) -> FastAPI:
    """Return the application of a server that has no champion yet."""
    app = _empty(version="none")

    @app.post(PREDICT_PATH, tags=_TAGS, responses=documented(HTTPStatus.SERVICE_UNAVAILABLE))
    async def predict() -> None:
        raise no_champion(look())

    @app.get("/docs", include_in_schema=False)
    async def docs() -> None:
        raise no_champion(look())

    app.include_router(health_router(look))
    return app


def _empty(*, version: str) -> FastAPI:
    return FastAPI(
        title="housectl",
        version=version,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers=EXCEPTION_HANDLERS,
    )


def _described_body(model: Model) -> dict[str, object]:
    golden = model.bundle.golden
    example = dict(zip(golden.features, golden.rows[0].row, strict=True))
    content = {"schema": model.rows.model.model_json_schema(), "example": example}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def _prediction_model(target: Target, *, example: float) -> type[BaseModel]:
    described = ", in ".join(filter(None, (target.meaning.rstrip(".") or target.name, target.unit)))
    field = Field(alias=target.response_key, description=described, examples=[example])
    return create_model("Prediction", value=(float, field))
