"""Hostile requests in valid HTTP, which share connections. Each has known right answers."""

import gzip
import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from string import printable

from tests.server.bundles import expected

_BASE = 20.0
_LIMIT = 1024 * 1024
_BOMB = gzip.compress(bytes(20 * _LIMIT))
_BROKEN_VALUES = (
    *("null", "true", '"6.5"', "[6.5]", "{}", "NaN", "-Infinity", "1e400", "-1e39", "3.5e38"),
    *("9" * 330, "-" + "9" * 4000, '"' + "x" * 5000 + '"', "[" * 100 + "]" * 100),
)
_UNREADABLE_VALUES = (
    "9" * 5000,
    "01",
    "+1",
    ".5",
    "1.",
    "0x10",
    "1_000",
    "nul",
    "'6'",
    '"\\ud800"',
)
_PATHS = ("//", "/predict/", "/predict%2f", "/../etc/passwd", "/%00", "/%ff%fe", "/docs/..", "/*")
_GET_PATHS = ("/docs", "/health", "/health/live", "/health/ready", "/openapi.json")
_HEADERS = (
    *(
        "host: [::1",
        "host: a b",
        "host: ../..",
        "host: \xff",
        "x-request-id: \xff",
        "x-request-id: ",
    ),
    *(
        "x-forwarded-proto: ws",
        "x-forwarded-for: ,,,",
        "accept: */*;q=nan",
        "cookie: " + "c=" * 999,
    ),
    *("content-type: text/html", "range: bytes=-1", "authorization: \\", "connection: upgrade"),
    *("upgrade: websocket", "te: trailers", "if-none-match: *", "accept-encoding: br", "expect: x"),
)


@dataclass(frozen=True)
class HostileRequest:
    """A complete request, and its right answers.

    Attributes:
        data: The bytes of the request.
        statuses: Right statuses; several if chance decides, for example about a changed byte.
        body: Right body, or None if any body is right.
    """

    data: bytes
    statuses: frozenset[int]
    body: bytes | None = None


def random_request(random: Random) -> HostileRequest:
    """Return a request of a random kind."""
    kinds = tuple(_KINDS)
    kind: Callable[[Random], HostileRequest] = random.choices(kinds, tuple(_KINDS.values()))[0]
    return kind(random)


def valid_row(random: Random) -> tuple[bytes, bytes]:
    """Return the body of a valid request, and that of its answer."""
    first = random.uniform(-10, 20)
    row = {"RM": first, "LSTAT": random.uniform(0, 1e9)}
    ignored = {"B": random.choice((1, None, 'a "quoted" text', [[], {}])), "MEDV": 24}
    row |= {name: ignored[name] for name in ignored if random.random() < 0.2}
    prediction = json.dumps({"predicted_price": expected(_BASE, first)}, separators=(",", ":"))
    return json.dumps(row).encode(), prediction.encode()


def request_bytes(
    method: str, path: str, body: bytes = b"", headers: tuple[str, ...] = ()
) -> bytes:
    """Return a request with its content length; a Host header may be among the others."""
    hosts = () if any(header.startswith("host:") for header in headers) else ("host: x",)
    lines = (*hosts, *headers, f"content-length: {len(body)}")
    head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{line}\r\n" for line in lines) + "\r\n"
    return head.encode("latin-1") + body


def _post(body: bytes, *statuses: int, headers: tuple[str, ...] = ()) -> HostileRequest:
    return HostileRequest(request_bytes("POST", "/predict", body, headers), frozenset(statuses))


def _valid(random: Random) -> HostileRequest:
    body, answer = valid_row(random)
    return HostileRequest(request_bytes("POST", "/predict", body), frozenset({200}), answer)


def _valid_gzip(random: Random) -> HostileRequest:
    body, answer = valid_row(random)
    data = request_bytes("POST", "/predict", gzip.compress(body), ("content-encoding: gzip",))
    return HostileRequest(data, frozenset({200}), answer)


def _valid_chunks(random: Random) -> HostileRequest:
    body, answer = valid_row(random)
    size = random.randint(1, 50)
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    chunks = b"".join(b"%x;x=y\r\n%b\r\n" % (len(part), part) for part in parts)
    head = b"POST /predict?%ff HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    return HostileRequest(head + chunks + b"0\r\n\r\n", frozenset({200}), answer)


def _invalid_value(random: Random) -> HostileRequest:
    value = random.choice(_BROKEN_VALUES)
    return _post(f'{{"RM": {value}, "LSTAT": 5}}'.encode(), 422)


def _unreadable_value(random: Random) -> HostileRequest:
    value = random.choice(_UNREADABLE_VALUES)
    return _post(f'{{"RM": {value}, "LSTAT": 5}}'.encode(), 400)


def _unknown_keys(random: Random) -> HostileRequest:
    keys = [f'"{random.getrandbits(64):x}": 1' for _ in range(random.choice((1, 10, 65, 3000)))]
    return _post(("{" + ", ".join(keys) + "}").encode(), 422)


def _repeated_key(random: Random) -> HostileRequest:
    row = '"RM": 1, ' * random.choice((1, 10, 100)) + '"RM": 6.5, "LSTAT": 5'
    return _post(("{" + row + "}").encode(), 400)


def _other_protocol(random: Random) -> HostileRequest:
    row = {"RM": 6.5, "LSTAT": 5}
    bodies = (
        [[row]],
        {"instances": [row]},
        {"inputs": []},
        {"dataframe_split": {}},
        6.5,
        "RM",
        None,
    )
    return _post(json.dumps(random.choice(bodies)).encode(), 422)


def _deep(random: Random) -> HostileRequest:
    depth = random.choice((150, 201, 5_000, 100_000))
    return _post(random.choice((b"[", b'{"B":', b'{"B":[')) * depth, 400, 422)


def _changed_row(random: Random) -> HostileRequest:
    body = bytearray(valid_row(random)[0])
    for _ in range(random.randint(1, 4)):
        body[random.randrange(len(body))] = random.randrange(256)
    return _post(bytes(body), 200, 400, 422)


def _noise(random: Random) -> HostileRequest:
    return _post(b"\xff" + random.randbytes(random.choice((0, 1, 100, 10_000))), 400)


def _broken_coding(random: Random) -> HostileRequest:
    text = gzip.compress(b'{"RM": 6.5, "LSTAT": 5}')
    codings: Mapping[str, tuple[bytes, int]] = {
        "gzip": random.choice(((_BOMB, 413), (text[:-1], 400), (text + text, 400), (b"{", 400))),
        "deflate": (zlib.compress(b"{}"), 415),
        "gzip, gzip": (gzip.compress(text), 415),
    }
    coding, (body, status) = random.choice(tuple(codings.items()))
    return _post(body, status, headers=(f"content-encoding: {coding}",))


def _large(random: Random) -> HostileRequest:
    unit = random.choice((b'"a": 1, ', b"[], ", b"{}, ", b" ", b"1, ", b'"x", ', b"\\u0041"))
    start = random.choice((b'{"B": [', b"[", b'{"B": "', b"{"))
    return _post(start + unit * ((_LIMIT - len(start)) // len(unit)), 400, 422)


def _too_large(random: Random) -> HostileRequest:
    return _post(b" " * (_LIMIT + random.choice((1, 100_000))), 413)


def _other_method(random: Random) -> HostileRequest:
    method, path, status = random.choice(
        (
            *((method, "/predict", 405) for method in ("GET", "PUT", "DELETE", "PATCH", "TRACE")),
            *(("POST", path, 405) for path in _GET_PATHS),
            *(("OPTIONS", path, 204) for path in ("/predict", "/", *_GET_PATHS)),
        )
    )
    return HostileRequest(request_bytes(method, path), frozenset({status}))


def _other_path(random: Random) -> HostileRequest:
    letters = (character for character in random.choices(printable[:94], k=20))
    noise = "/" + "".join(letters).replace("?", "").replace("#", "")
    path = random.choice((*_PATHS, noise, "/" + "x" * random.choice((1_000, 50_000))))
    return HostileRequest(request_bytes(random.choice(("GET", "POST")), path), frozenset({404}))


def _odd_headers(random: Random) -> HostileRequest:
    headers = tuple(random.choices(_HEADERS, k=random.randint(1, 20)))
    path = random.choice(_GET_PATHS) + random.choice(("", "?", "?%ff=%", "?" + "x" * 5_000))
    return HostileRequest(request_bytes("GET", path, headers=headers), frozenset({200}))


_KINDS: Mapping[Callable[[Random], HostileRequest], float] = {
    _valid: 20,
    _valid_gzip: 3,
    _valid_chunks: 3,
    _invalid_value: 10,
    _unreadable_value: 10,
    _unknown_keys: 3,
    _repeated_key: 5,
    _other_protocol: 5,
    _deep: 2,
    _changed_row: 15,
    _noise: 5,
    _broken_coding: 3,
    _large: 0.3,
    _too_large: 0.2,
    _other_method: 10,
    _other_path: 10,
    _odd_headers: 5,
}
