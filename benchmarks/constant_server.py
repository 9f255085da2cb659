"""`python -m benchmarks.constant_server PORT`: endpoints that check the same body, and no more.

The same uvicorn, the same pydantic model, the same kind of answer; but no model of prices behind
it, and no server around it: no store to follow, no request ids, no counters, no word on what is
wrong with a body.
"""

import json
import os
import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel
from starlette.types import ASGIApp, Receive, Scope, Send

from housectl.contract.bundle import read_bundle
from housectl.contract.history import bundle_path, newest_number, read_entry
from housectl_server.rows import row_model
from housectl_server.settings import STORE_VARIABLE

FASTEST = "/fastest"
ROUTED = "/routed"
ORDINARY = "/ordinary"

_PREDICTION = 22.532806324110677


def constant_application(store: Path) -> ASGIApp:
    """Return the endpoints; what they check bodies for is the schema of the store's champion."""
    entry = read_entry(store, newest_number(store))
    bundle = read_bundle(bundle_path(store, entry.bundle), expected=entry.bundle)
    row = row_model(bundle.record.schema, example=bundle.golden.rows[0].row)
    answer = {bundle.record.schema.target.response_key: _PREDICTION}
    return _fastest(row, answer, beside=_in_framework(row, answer))


def _fastest(row: type[BaseModel], answer: dict[str, float], *, beside: ASGIApp) -> ASGIApp:
    """Return the endpoint without any framework; other paths are answered beside it."""
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
            await beside(scope, receive, send)
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


def _in_framework(row: type[BaseModel], answer: dict[str, float]) -> FastAPI:
    """Return one endpoint as FastAPI's manual has them, and the leanest that it can route to."""
    validate = row.__pydantic_validator__.validate_json
    content = json.dumps(answer).encode()

    async def routed(request: Request) -> Response:
        validate(await request.body())
        return Response(content, media_type="application/json")

    async def ordinary(_: row) -> dict[str, float]:  # type: ignore[valid-type]
        return answer

    app = FastAPI()
    # A route of Starlette's: FastAPI's own would look for dependencies at each request.
    app.add_route(ROUTED, routed, methods=["POST"])
    app.post(ORDINARY)(ordinary)
    return app


if __name__ == "__main__":
    uvicorn.run(
        constant_application(Path(os.environ[STORE_VARIABLE])),
        port=int(sys.argv[1]),
        lifespan="off",
        ws="none",
        access_log=False,
        log_config=None,
        log_level="warning",
    )
