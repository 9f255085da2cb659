"""The endpoint of batch protocols, whose requests have any number of rows up to a limit."""

from collections.abc import Callable

from starlette.types import Receive, Scope

from housectl_server.endpoints.asgi_endpoint import AsgiEndpoint, Content
from housectl_server.endpoints.prediction_thread import PredictionThread
from housectl_server.http.content_coding import decode_body, is_encoded
from housectl_server.http.request_body import BodyReader, batch_limit

# A larger body may have so many rows that the event loop must not wait for their predictions.
_SMALL_BODY_BYTES = 4096

AnswerRows = Callable[[Scope, bytes], Content]
"""Returns the answer to the decoded body of a request; any thread may call it.

It raises UnreadableRowError, InvalidRowError or HTTPException for the client's mistakes.
"""


class TableEndpoint(AsgiEndpoint):
    """ASGI endpoint that answers small bodies at once, and others in the prediction thread.

    Args:
        answer: Answers bodies.
        bodies: Reads the bodies of requests.
        thread: Runs the answers to large bodies.
    """

    def __init__(self, answer: AnswerRows, bodies: BodyReader, thread: PredictionThread) -> None:
        self._answer_rows = answer
        self._read_body = bodies.read
        self._thread = thread

    async def _answer(self, scope: Scope, receive: Receive) -> Content:
        body = await self._read_body(receive, batch_limit)

        def answer() -> Content:
            return self._answer_rows(scope, decode_body(scope, body, batch_limit))

        if len(body) <= _SMALL_BODY_BYTES and not is_encoded(scope):
            return answer()
        return await self._thread.run(answer, size=len(body))
