"""Hostile connections: bytes that are not valid HTTP, or requests that never become complete."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from tests.drills.hostile_requests import request_bytes, valid_row

_HEAD = b"POST /predict HTTP/1.1\r\nhost: x\r\n"
_TLS_HELLO = bytes.fromhex("16030100c8010000c40303") + bytes(200)
_PROTOCOLS = (
    *(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET /\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", _TLS_HELLO),
    *(b"CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n", b"FOO / HTTP/1.1\r\n\r\n", b"\r\n" * 5000),
    *(b"GET http:// HTTP/1.1\r\n\r\n", b"OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n", b"\x00" * 100),
    *(
        b"GET / HTTP/1.1\nhost: x\n\n",
        b"GET /\x00 HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n : x\r\n\r\n",
    ),
)
_LENGTHS = (b"-1", b"x", b"1e3", b"9" * 30, b"5, 6", b"5\r\ncontent-length: 6", b"", b"0x10", b"+5")
_CHUNKS = (b"-1\r\n", b"x\r\n", b"f" * 30 + b"\r\n", b"5\r\n{}\r\n", b"5;" + b"x" * 70_000, b"\r\n")


@dataclass(frozen=True)
class HostileConnection:
    """A connection that no later request can use.

    Attributes:
        pieces: Bytes to send, one after the other.
        statuses: Right statuses of the answer; empty if no answer is right, too.
        half_closes: True if the client closes its side after the last piece; otherwise the server
            has to close the connection.
    """

    pieces: Sequence[bytes]
    statuses: frozenset[int] = frozenset()
    half_closes: bool = True


def random_connection(random: Random) -> HostileConnection:
    """Return a connection of a random kind."""
    return random.choice(_KINDS)(random)


def slow_connection(random: Random) -> HostileConnection:
    """Return a connection of a client that sends one byte per second, or nothing."""
    starts = (b"", b"GET", _HEAD, _HEAD + b"content-length: 900\r\n\r\n{", _HEAD + b"x: ")
    start = random.choice(starts)
    statuses = frozenset({408}) if start else frozenset[int]()
    return HostileConnection((start, *[b"x"] * 5 * bool(start)), statuses, half_closes=False)


def _noise(random: Random) -> HostileConnection:
    return HostileConnection((random.randbytes(random.choice((1, 10, 1000, 100_000))),))


def _changed_request(random: Random) -> HostileConnection:
    data = bytearray(request_bytes("POST", "/predict", valid_row(random)[0]))
    for _ in range(random.randint(1, 4)):
        data[random.randrange(len(data))] = random.randrange(256)
    return HostileConnection((bytes(data),))


def _truncated_request(random: Random) -> HostileConnection:
    data = request_bytes("POST", "/predict", valid_row(random)[0])
    cut = random.randrange(len(data))
    return HostileConnection((data[: cut // 2], data[cut // 2 : cut]))


def _other_protocol(random: Random) -> HostileConnection:
    return HostileConnection((random.choice(_PROTOCOLS),))


def _broken_length(random: Random) -> HostileConnection:
    length = random.choice(_LENGTHS)
    return HostileConnection((_HEAD + b"content-length: " + length + b"\r\n\r\n{}",))


def _two_lengths(random: Random) -> HostileConnection:
    """Return a request whose end two programs could see in different places."""
    codings = (
        b"chunked",
        b"Chunked",
        b" chunked",
        b"identity, chunked",
        b"xchunked",
        b"chunked, x",
    )
    coding = b"transfer-encoding: " + random.choice(codings)
    hidden = request_bytes("GET", "/health")
    body = b"0\r\n\r\n" + hidden
    head = _HEAD + b"content-length: %d\r\n%b\r\n\r\n" % (len(body), coding)
    return HostileConnection((head + body,), frozenset({400}), half_closes=False)


def _broken_chunks(random: Random) -> HostileConnection:
    chunks = random.choice(_CHUNKS)
    return HostileConnection((_HEAD + b"transfer-encoding: chunked\r\n\r\n" + chunks,))


def _many_chunks(_: Random) -> HostileConnection:
    data = _HEAD + b"transfer-encoding: chunked\r\n\r\n" + b"1\r\n \r\n" * 10_000
    return HostileConnection((data,), frozenset({400}), half_closes=False)


def _many_headers(random: Random) -> HostileConnection:
    headers = b"x: y\r\n" * random.choice((150, 5_000, 50_000))
    return HostileConnection((_HEAD + headers + b"\r\n",), frozenset({431}), half_closes=False)


def _long_head(random: Random) -> HostileConnection:
    start = random.choice((b"GET /", _HEAD + b"x", _HEAD + b"x: "))
    return HostileConnection((start + b"x" * 200_000,), frozenset({431}), half_closes=False)


def _many_requests(_: Random) -> HostileConnection:
    return HostileConnection((request_bytes("GET", "/health/live") * 5_000,), half_closes=False)


def _head(_: Random) -> HostileConnection:
    data = request_bytes("HEAD", "/docs", headers=("connection: close",))
    return HostileConnection((data,), frozenset({200}), half_closes=False)


_KINDS: Sequence[Callable[[Random], HostileConnection]] = (
    *(_noise, _changed_request, _changed_request, _truncated_request, _truncated_request),
    *(_other_protocol, _other_protocol, _broken_length, _two_lengths, _broken_chunks, _head),
    *(_many_chunks, _many_headers, _long_head, _many_requests),
)
