"""The wire format of protobuf messages, as far as ONNX graphs need it.

Reference: https://protobuf.dev/programming-guides/encoding/
"""

import numpy as np
from numpy.typing import NDArray

from housectl.contract.record import MalformedRecordError

_INTEGER_TYPE = 0
_BYTES_TYPE = 2
_TYPE_BITS = 3
_MAX_FIELDS = 64
_MAX_DIGITS = 5
_MAX_REPEATED_DIGITS = 4
_DIGIT_BITS = 7
_DIGIT = 0x7F
_CONTINUED = 0x80


def integer_field(number: int, value: int) -> bytes:
    """Return a field with a non-negative integer."""
    return _varint(number << _TYPE_BITS | _INTEGER_TYPE) + _varint(value)


def bytes_field(number: int, *parts: bytes) -> list[bytes]:
    """Return the parts of a field with bytes, a text, or a message of several fields.

    Large parts are not copied.
    """
    length = sum(map(len, parts))
    return [_varint(number << _TYPE_BITS | _BYTES_TYPE) + _varint(length), *parts]


def integer_fields(number: int, values: NDArray[np.int64] | NDArray[np.bool_]) -> bytes:
    """Return one field for each value.

    Args:
        number: Number of the fields, below 16.
        values: `(n,)`, from 0 to 2**28 - 1.
    """
    rest = values.astype(np.uint32)
    width = -(-int(rest.max(initial=1)).bit_length() // _DIGIT_BITS)
    digits = np.empty((len(rest), 1 + width), dtype=np.uint8)
    used = np.ones(digits.shape, dtype=np.bool_)
    digits[:, 0] = number << _TYPE_BITS | _INTEGER_TYPE
    for position in range(1, 1 + width):
        is_continued = rest > _DIGIT
        digits[:, position] = np.where(is_continued, rest & _DIGIT | _CONTINUED, rest)
        used[:, position + 1 :] &= is_continued[:, np.newaxis]
        rest >>= _DIGIT_BITS
    return digits[used].tobytes()


def find_bytes(message: memoryview, number: int) -> list[memoryview]:
    """Return the contents of the fields with a number that `bytes_field` returned.

    Of an invalid message, any parts are returned.

    Raises:
        MalformedRecordError: The message has more than 64 fields, or ends in a field.
    """
    contents: list[memoryview] = []
    position = 0
    for _ in range(_MAX_FIELDS):
        if position >= len(message):
            return contents
        tag, position = _read_varint(message, position)
        value, position = _read_varint(message, position)
        if tag == number << _TYPE_BITS | _BYTES_TYPE:
            contents.append(message[position : position + value])
        if tag & _BYTES_TYPE:
            position += value
    raise MalformedRecordError(f"a message has more than {_MAX_FIELDS} fields")


def read_integers(fields: memoryview, *, size: int) -> NDArray[np.int64]:
    """Return the values of fields that `integer_fields` returned.

    Of other bytes, any values are returned.

    Args:
        fields: Bytes of the fields.
        size: Number of the fields.

    Raises:
        MalformedRecordError: The bytes have another number of fields, or are incomplete, or have
            integers of 2**28 or more.
    """
    # NumPy needs several times the memory of the fields, so their length is checked first.
    if len(fields) > size * (1 + _MAX_REPEATED_DIGITS):
        raise MalformedRecordError("a list is too long")
    data = np.frombuffer(fields, dtype=np.uint8)
    # A tag is one byte, so the ends of tags and of values alternate.
    ends = np.flatnonzero(data < _CONTINUED)
    starts, lasts = ends[::2], ends[1::2]
    if len(starts) != size or len(lasts) != size:
        raise MalformedRecordError(f"a list does not have {size} integers")
    if (lasts - starts).max(initial=0) > _MAX_REPEATED_DIGITS:
        raise MalformedRecordError("an integer is too large")
    values = np.zeros(size, dtype=np.int64)
    for position in range(int((lasts - starts).max(initial=0))):
        index = starts + 1 + position
        digits = (data[np.minimum(index, lasts)] & _DIGIT).astype(np.int64)
        values |= np.where(index <= lasts, digits << _DIGIT_BITS * position, 0)
    return values


def _varint(value: int) -> bytes:
    digits = bytearray()
    while value > _DIGIT:
        digits.append(value & _DIGIT | _CONTINUED)
        value >>= _DIGIT_BITS
    return bytes([*digits, value])


def _read_varint(message: memoryview, start: int) -> tuple[int, int]:
    """Return an integer and the position after it."""
    value = 0
    for index, byte in enumerate(message[start : start + _MAX_DIGITS]):
        value |= (byte & _DIGIT) << _DIGIT_BITS * index
        if byte < _CONTINUED:
            return value, start + index + 1
    raise MalformedRecordError("an integer is incomplete")
