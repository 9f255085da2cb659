"""Binary data after the JSON of a message: little-endian values, and texts after their lengths."""

import struct

from housectl_server.model.row_errors import InvalidRowError

LENGTH_HEADER = b"inference-header-content-length"
"""Header of the number of bytes of JSON, in requests and answers with binary data."""

SIZE_PARAMETER = "binary_data_size"

_TEXT_LENGTH = struct.Struct("<I")


class BinaryData:
    """Binary data of a request, which its tensors take in their order."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._start = 0

    def take(self, size: object) -> bytes:
        """Return the next bytes.

        Raises:
            InvalidRowError: The size is no size, or so many bytes are not left.
        """
        end = self._start + size if isinstance(size, int) else -1
        if not self._start <= end <= len(self._data):
            raise InvalidRowError(f"{SIZE_PARAMETER} is not the size of data after the JSON.")
        start, self._start = self._start, end
        return self._data[start:end]


def split_body(body: bytes, json_length: bytes | None) -> tuple[bytes, BinaryData]:
    """Return the JSON and the binary data of a body.

    Args:
        body: Body of a request.
        json_length: Value of the header with the length of the JSON; None if it is absent.

    Raises:
        InvalidRowError: The length is invalid.
    """
    if json_length is None:
        return body, BinaryData(b"")
    if not json_length.isdigit() or len(json_length) > len(str(len(body))):
        raise InvalidRowError("The header Inference-Header-Content-Length is invalid.")
    length = int(json_length)
    return body[:length], BinaryData(body[length:])


def read_binary_texts(data: bytes) -> list[object]:
    """Return texts in UTF-8, each of which follows its length.

    Raises:
        InvalidRowError: The data has another form.
    """
    texts: list[object] = []
    start = 0
    try:
        while start < len(data):
            (length,) = _TEXT_LENGTH.unpack_from(data, start)
            start += _TEXT_LENGTH.size + length
            texts.append(data[start - length : start].decode())
    except (struct.error, UnicodeDecodeError) as error:
        raise InvalidRowError(f"A tensor of BYTES is invalid: {error}.") from error
    if start > len(data):
        raise InvalidRowError("A tensor of BYTES is invalid: its last text is incomplete.")
    return texts
