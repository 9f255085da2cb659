"""Content codings of request bodies: gzip, and the byte order mark of UTF-8."""

import zlib
from codecs import BOM_UTF8
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.types import Scope

from housectl_server.http.request_body import SizeLimit, check_size

_IDENTITY = b"identity"
_GZIP_CODINGS = frozenset({b"gzip", b"x-gzip"})
_GZIP_FORMAT = zlib.MAX_WBITS | 16
_START_BYTES = 1024


def decode_body(scope: Scope, body: bytes, limit: SizeLimit) -> bytes:
    """Return the text of a body, without its content coding and its byte order mark.

    Args:
        scope: Scope of the request.
        body: The body as it was received.
        limit: Limit of the text's size.

    Raises:
        HTTPException: The text is too large (413), the coding is unknown (415), or the body does
            not have the named coding (400).
    """
    coding = _coding(scope)
    if coding in _GZIP_CODINGS:
        body = _decompress(body, limit)
    elif coding != _IDENTITY:
        raise HTTPException(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"The content coding {coding.decode('latin-1')} is unknown; send JSON, plain or gzip.",
            headers={"Accept-Encoding": "gzip"},
        )
    return body.removeprefix(BOM_UTF8)


def is_encoded(scope: Scope) -> bool:
    """Return True if a body has a content coding."""
    return _coding(scope) != _IDENTITY


def _coding(scope: Scope) -> bytes:
    coding: bytes = dict(scope["headers"]).get(b"content-encoding", _IDENTITY)
    return coding.strip().lower()


def _decompress(body: bytes, limit: SizeLimit) -> bytes:
    """Return the decompressed body; at most one byte over the limit is decompressed."""
    stream = zlib.decompressobj(_GZIP_FORMAT)
    try:
        start = stream.decompress(body, _START_BYTES)
        text = start + stream.decompress(stream.unconsumed_tail, limit(start) + 1 - len(start))
    except zlib.error as error:
        raise HTTPException(HTTPStatus.BAD_REQUEST, "The body is not gzip data.") from error
    check_size(len(text), start, limit)
    if not stream.eof or stream.unused_data:
        raise HTTPException(HTTPStatus.BAD_REQUEST, "The body is not one complete gzip stream.")
    return text
