"""Routes of the Open Inference Protocol, and their documentation."""

from collections.abc import Awaitable, Callable, Iterator
from http import HTTPStatus
from typing import Any

from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from housectl_server.endpoints.asgi_endpoint import JSON_HEADERS, AsgiEndpoint, Content
from housectl_server.endpoints.inference.infer import MODEL_NAME
from housectl_server.endpoints.inference.messages import (
    InferenceError,
    InferRequest,
    InferResponse,
    InputTensor,
    Live,
    ModelMetadata,
    Ready,
    ServerMetadata,
)
from housectl_server.endpoints.inference.metadata import model_metadata, server_metadata
from housectl_server.http.problems import INFERENCE_PATH
from housectl_server.model.served_model import ServedModel
from housectl_server.state import ServingState

_PATHS_OF_MODEL = (
    f"{INFERENCE_PATH}/models/{{model}}",
    f"{INFERENCE_PATH}/models/{{model}}/versions/{{version}}",
)
_ERROR: dict[str, Any] = {"model": InferenceError, "description": "Error"}
_ERRORS: dict[int | str, dict[str, Any]] = {"4XX": _ERROR}


class MessageEndpoint(AsgiEndpoint):
    """ASGI endpoint that answers with a message.

    Args:
        get_message: Returns the message, or raises HTTPException.
    """

    def __init__(self, get_message: Callable[[], BaseModel]) -> None:
        self._get_message = get_message

    async def _answer(self, _: Scope, __: Receive) -> Content:
        return self._get_message().model_dump_json().encode(), JSON_HEADERS


class ModelPath:
    """ASGI application that refuses the paths of other models than the served one.

    Args:
        app: Answers the requests of the served model.
        versions: Names of its version in paths; none without a model.
    """

    def __init__(self, app: ASGIApp, versions: frozenset[str]) -> None:
        self._app = app
        self._versions = versions

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer one request.

        Raises:
            HTTPException: The path names another model or version (404).
        """
        model, version = map(scope["path_params"].get, ("model", "version"))
        if not self._versions:
            raise HTTPException(HTTPStatus.NOT_FOUND, "No model has been promoted yet.")
        if model != MODEL_NAME:
            raise HTTPException(HTTPStatus.NOT_FOUND, f"The model is unknown; it is {MODEL_NAME}.")
        if version is not None and version not in self._versions:
            served = min(self._versions, key=len)
            raise HTTPException(HTTPStatus.NOT_FOUND, f"The version is not served; {served} is.")
        return self._app(scope, receive, send)


def infer_path() -> str:
    """Return the path of inference requests that name no version."""
    return f"{_PATHS_OF_MODEL[0]}/infer".format(model=MODEL_NAME)


def infer_paths(model: ServedModel) -> dict[str, str]:
    """Return the usual paths of inference requests for a model, and their templates."""
    names = {"model": MODEL_NAME, "version": model.bundle.version}
    templates = (f"{path}/infer" for path in _PATHS_OF_MODEL)
    return {template.format(**names): template for template in templates}


def inference_routes(
    model: ServedModel | None, infer: ASGIApp, get_state: Callable[[], ServingState]
) -> Iterator[APIRoute]:
    """Yield all routes.

    Args:
        model: The served model; None if the server has none yet.
        infer: Answers inference requests.
        get_state: Returns the server's current state.
    """

    def ready() -> Ready:
        if get_state().champion is None:
            raise HTTPException(HTTPStatus.BAD_REQUEST, "No model has been promoted yet.")
        return Ready(ready=True)

    yield _route("", MessageEndpoint(server_metadata), "Describe the server", ServerMetadata)
    live = MessageEndpoint(lambda: Live(live=True))
    yield _route("/health/live", live, "Check that the process answers", Live)
    ready_or_not = MessageEndpoint(ready)
    yield _route("/health/ready", ready_or_not, "Check that the server can predict", Ready)
    yield from _model_routes(model, infer)


def _model_routes(model: ServedModel | None, infer: ASGIApp) -> Iterator[APIRoute]:
    """Yield the routes of the served model, with and without its version."""
    versions = frozenset({model.bundle.version, model.bundle.digest} if model else ())
    metadata = model_metadata(model.bundle) if model else Ready(ready=False)
    describe = ModelPath(MessageEndpoint(lambda: metadata), versions)
    ready = ModelPath(MessageEndpoint(lambda: Ready(ready=True)), versions)
    for path in _PATHS_OF_MODEL:
        yield _route(path, describe, "Describe the served model", ModelMetadata)
        yield _route(f"{path}/ready", ready, "Check that the model can predict", Ready)
        yield _infer_route(f"{path}/infer", ModelPath(infer, versions), model)


# FastAPI names and describes routes by functions, which are never called here.
async def _get() -> None: ...


async def _infer(request: InferRequest) -> None: ...


def _infer_route(path: str, app: ASGIApp, model: ServedModel | None) -> APIRoute:
    example = InferRequest(inputs=_example(model) if model else [])
    content = {"application/json": {"example": example.model_dump(exclude_none=True)}}
    route = APIRoute(
        path,
        _infer,
        methods=["POST"],
        summary="Predict the rows of tensors",
        tags=["inference"],
        response_model=InferResponse,
        responses={**_ERRORS, int(HTTPStatus.SERVICE_UNAVAILABLE): _ERROR},
        openapi_extra={**_parameters(path), "requestBody": {"content": content}},
    )
    route.app = app
    return route


def _route(path: str, app: ASGIApp, summary: str, answer: type[BaseModel]) -> APIRoute:
    if not path.startswith(INFERENCE_PATH):
        path = INFERENCE_PATH + path
    route = APIRoute(
        path,
        _get,
        methods=["GET"],
        summary=summary,
        tags=["inference"],
        response_model=answer,
        responses=_ERRORS,
        openapi_extra=_parameters(path),
    )
    route.app = app
    return route


def _example(model: ServedModel) -> list[InputTensor]:
    """Return the tensors of the row that the documentation shows."""
    inputs = model_metadata(model.bundle).inputs
    return [
        InputTensor(name=each.name, shape=[1, 1], datatype=each.datatype, data=[value])
        for each, value in zip(inputs, model.example.row, strict=True)
    ]


def _parameters(path: str) -> dict[str, Any]:
    names = [name for name in ("model", "version") if f"{{{name}}}" in path]
    text = {"type": "string"}
    return {
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": text} for name in names
        ]
    }
