"""The base of endpoints that answer without FastAPI's layers."""

from abc import ABC, abstractmethod

from starlette.types import Receive, Scope, Send

from housectl_server.http.answer_headers import Header
from housectl_server.http.problems import CLIENT_ERRORS, problem_response

JSON_HEADERS = ((b"content-type", b"application/json"),)

Content = tuple[bytes, tuple[Header, ...]]
"""Body of an answer, and its headers without the length."""


class AsgiEndpoint(ABC):
    """ASGI application that answers an error with a problem."""

    @abstractmethod
    async def _answer(self, scope: Scope, receive: Receive) -> Content:
        """Return the answer to one request."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            body, headers = await self._answer(scope, receive)
        except CLIENT_ERRORS as error:
            await problem_response(scope, error)(scope, receive, send)
        except Exception as error:
            await problem_response(scope, error)(scope, receive, send)
            raise  # uvicorn logs the traceback
        else:
            all_headers = [*headers, (b"content-length", b"%d" % len(body))]
            await send({"type": "http.response.start", "status": 200, "headers": all_headers})
            await send({"type": "http.response.body", "body": body})
