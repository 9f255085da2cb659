"""Answers of a server on one connection, parsed from its bytes."""

import asyncio
from dataclasses import dataclass, field

import httptools


@dataclass
class Answer:
    """One answer of a server."""

    status: int = 0
    headers: dict[bytes, bytes] = field(default_factory=dict)
    body: bytes = b""


class AnswerReader:
    """Reads answers to pipelined requests.

    Args:
        stream: Bytes from the server.
    """

    def __init__(self, stream: asyncio.StreamReader) -> None:
        self._stream = stream
        self._parser = httptools.HttpResponseParser(self)
        self._answers: list[Answer] = []
        self._answer = Answer()

    async def read(self, count: int) -> list[Answer]:
        """Return the next answers.

        Raises:
            EOFError: The server closed the connection.
        """
        while len(self._answers) < count:
            data = await self._stream.read(65536)
            if not data:
                raise EOFError
            self._parser.feed_data(data)
        answers, self._answers = self._answers[:count], self._answers[count:]
        return answers

    def on_message_begin(self) -> None:
        self._answer = Answer()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._answer.headers[name.lower()] = value

    def on_body(self, body: bytes) -> None:
        self._answer.body += body

    def on_message_complete(self) -> None:
        self._answer.status = self._parser.get_status_code()
        self._answers.append(self._answer)
