"""Content codings of request bodies: gzip, and the byte order mark of UTF-8."""

import zlib
from codecs import BOM_UTF8
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.types import Scope

from housectl_server.http.request_body import MAX_BODY_BYTES, too_large_error

_GZIP_CODINGS = frozenset({b"gzip", b"x-gzip"})
_GZIP_FORMAT = zlib.MAX_WBITS | 16


def decode_body(scope: Scope, body: bytes) -> bytes:
    """Return the text of a body, without its content coding and its byte order mark.

    Raises:
        HTTPException: The text is too large (413), the coding is unknown (415), or the body does
            not have the named coding (400).
    """
    coding = dict(scope["headers"]).get(b"content-encoding", b"identity").strip().lower()
    if coding in _GZIP_CODINGS:
        body = _decompress(body)
    elif coding != b"identity":
        raise HTTPException(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"The content coding {coding.decode('latin-1')} is unknown; send JSON, plain or gzip.",
            headers={"Accept-Encoding": "gzip"},
        )
    return body.removeprefix(BOM_UTF8)


def _decompress(body: bytes) -> bytes:
    """Return the decompressed body; at most one byte over the limit is decompressed."""
    stream = zlib.decompressobj(_GZIP_FORMAT)
    try:
        text = stream.decompress(body, MAX_BODY_BYTES + 1)
    except zlib.error as error:
        raise HTTPException(HTTPStatus.BAD_REQUEST, "The body is not gzip data.") from error
    if len(text) > MAX_BODY_BYTES:
        raise too_large_error()
    if not stream.eof or stream.unused_data:
        raise HTTPException(HTTPStatus.BAD_REQUEST, "The body is not one complete gzip stream.")
    return text
