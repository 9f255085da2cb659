"""`python -m benchmarks.constant_server PORT`: endpoints that check the same body, and no more.

The same FastAPI and uvicorn, the same pydantic model, the same kind of answer; but no model of
prices behind it, and no server around it: no store to follow, no request ids, no counters.
"""

import json
import os
import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request, Response

from housectl.contract.bundle import read_bundle
from housectl.contract.history import bundle_path, newest_number, read_entry
from server.rows import row_model
from server.settings import STORE_VARIABLE

FASTEST = "/fastest"
ORDINARY = "/ordinary"


def constant_application(store: Path) -> FastAPI:
    """Return the application; what it checks bodies for is the schema of the store's champion."""
    entry = read_entry(store, newest_number(store))
    bundle = read_bundle(bundle_path(store, entry.bundle), expected=entry.bundle)
    row = row_model(bundle.record.schema, example=bundle.golden.rows[0].row)
    validate = row.__pydantic_validator__.validate_json
    answer = {bundle.record.schema.target.response_key: 22.532806324110677}
    encoded = json.dumps(answer).encode()

    async def fastest(request: Request) -> Response:
        validate(await request.body())
        return Response(encoded, media_type="application/json")

    async def ordinary(_: row) -> dict[str, float]:  # type: ignore[valid-type]
        return answer

    app = FastAPI()
    # A route of Starlette's: FastAPI's own would look for dependencies at each request.
    app.add_route(FASTEST, fastest, methods=["POST"])
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
