"""`python -m benchmarks.constant_server PORT`: baseline endpoints with a constant prediction.

They use the same uvicorn and the same pydantic model, and return the same kind of answer. They have
no model, no store poller, no request ids, no counters and no error messages.
"""

import json
import os
import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel
from starlette.types import ASGIApp, Receive, Scope, Send

from housectl.store.base import ChampionStore
from housectl.store.local import LocalStore
from housectl_server.model.row_model import row_model
from housectl_server.settings import STORE_VARIABLE

FASTEST = "/fastest"
ROUTED = "/routed"
ORDINARY = "/ordinary"

_PREDICTION = 22.532806324110677


def create_constant_app(store: ChampionStore) -> ASGIApp:
    """Return the endpoints, which validate bodies against the schema of the store's champion."""
    bundle = store.bundle(store.require_champion().bundle)
    row = row_model(bundle.record.schema, example=bundle.golden.rows[0].row)
    answer = {bundle.record.schema.target.response_key: _PREDICTION}
    return _fastest_endpoint(row, answer, other_paths=_fastapi_endpoints(row, answer))


def _fastest_endpoint(
    row: type[BaseModel], answer: dict[str, float], *, other_paths: ASGIApp
) -> ASGIApp:
    """Return the endpoint without a framework, combined with an application for other paths."""
    validate = row.__pydantic_validator__.validate_json
    content = json.dumps(answer).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(content)).encode()),
    ]
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    end = {"type": "http.response.body", "body": content}

    async def fastest(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] != FASTEST:
            await other_paths(scope, receive, send)
            return
        message = await receive()
        body = message["body"]
        while message["more_body"]:
            message = await receive()
            body += message["body"]
        validate(body)
        await send(start)
        await send(end)

    return fastest


def _fastapi_endpoints(row: type[BaseModel], answer: dict[str, float]) -> FastAPI:
    """Return an ordinary FastAPI endpoint, and the fastest kind of route that FastAPI supports."""
    validate = row.__pydantic_validator__.validate_json
    content = json.dumps(answer).encode()

    async def routed(request: Request) -> Response:
        validate(await request.body())
        return Response(content, media_type="application/json")

    async def ordinary(_: row) -> dict[str, float]:  # type: ignore[valid-type]
        return answer

    app = FastAPI()
    # A Starlette route: FastAPI's own routes resolve dependencies at each request.
    app.add_route(ROUTED, routed, methods=["POST"])
    app.post(ORDINARY)(ordinary)
    return app


if __name__ == "__main__":
    uvicorn.run(
        create_constant_app(LocalStore(Path(os.environ[STORE_VARIABLE]))),
        port=int(sys.argv[1]),
        lifespan="off",
        ws="none",
        access_log=False,
        log_config=None,
        log_level="warning",
    )
