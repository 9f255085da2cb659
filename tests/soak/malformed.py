"""Malformed traffic: garbage, slow heads, huge bodies, and aborted requests."""

import asyncio
import re
from random import Random

from tests.drills.answers import AnswerReader
from tests.drills.hostile_connections import (
    HostileConnection,
    random_connection,
    slow_connection,
)
from tests.drills.hostile_requests import random_request, request_bytes, valid_row
from tests.soak.counts import Counts

_HANG_SECONDS = 40.0
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
_BROKEN = (EOFError, OSError)


async def attack(host: str, port: int, random: Random, counts: Counts, *, pause: float) -> None:
    """Send malformed requests of random kinds to a server, until cancelled.

    Args:
        pause: Seconds between two of them.
    """
    kinds = (_send_request, _send_request, _send_bytes, _abort)
    while True:
        try:
            async with asyncio.timeout(_HANG_SECONDS):
                await random.choice(kinds)(host, port, random, counts)
        except TimeoutError:
            counts.fail("hang", "a malformed request has no answer after 40 s")
        except _BROKEN as error:
            if not counts.may_break():
                counts.fail("lost", f"a complete request of a hostile client: {error!r}")
        counts.hostile += 1
        await asyncio.sleep(pause)


async def send_slowly(host: str, port: int, random: Random, counts: Counts) -> None:
    """Send heads byte by byte, one connection after the other, until cancelled."""
    while True:
        await _attack_connection(host, port, slow_connection(random), counts, pause=1.0)
        counts.hostile += 1


async def _send_request(host: str, port: int, random: Random, counts: Counts) -> None:
    request = random_request(random)
    stream, writer = await asyncio.open_connection(host, port)
    writer.write(request.data)
    try:
        answer = (await AnswerReader(stream).read(1))[0]
    finally:
        writer.close()
    is_shed = answer.status == 503 and b"retry-after" in answer.headers
    if answer.status not in request.statuses and not is_shed:
        counts.fail(f"status {answer.status}", f"{answer.body[:300]!r} to {request.data[:300]!r}")


async def _send_bytes(host: str, port: int, random: Random, counts: Counts) -> None:
    await _attack_connection(host, port, random_connection(random), counts, pause=0.0)


async def _abort(host: str, port: int, random: Random, counts: Counts) -> None:  # noqa: ARG001
    """Send a part of a request or all of it, and reset the connection before the answer."""
    data = request_bytes("POST", "/predict", valid_row(random)[0])
    _, writer = await asyncio.open_connection(host, port)
    writer.write(data[: random.randint(1, len(data))])
    await asyncio.sleep(0)
    writer.transport.abort()


async def _attack_connection(
    host: str, port: int, connection: HostileConnection, counts: Counts, *, pause: float
) -> None:
    try:
        answer = await _exchange(host, port, connection, pause)
    except TimeoutError:
        counts.fail("hang", f"the connection of {connection.pieces[0][:300]!r} stays open")
        return
    except OSError:
        return
    for status in _STATUS.findall(answer):
        if status >= b"500" and (status != b"503" or b"retry-after: " not in answer):
            counts.fail(f"status {status.decode()}", f"{answer[:300]!r}")


async def _exchange(host: str, port: int, connection: HostileConnection, pause: float) -> bytes:
    """Send all pieces, and return all bytes until the server closes the connection."""
    stream, writer = await asyncio.open_connection(host, port)
    try:
        for piece in connection.pieces:
            if not writer.is_closing():
                writer.write(piece)
            await asyncio.sleep(pause)
        if connection.half_closes and not writer.is_closing():
            writer.write_eof()
        return await asyncio.wait_for(stream.read(), _HANG_SECONDS)
    finally:
        writer.close()
