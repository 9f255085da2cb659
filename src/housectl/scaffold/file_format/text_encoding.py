"""Encoding of a text file: UTF-8 and UTF-16 are recognised, others have to be named."""

import codecs
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from housectl.contract.data.text_file import open_text
from housectl.errors import DataError, UsageError

_PART = 2**20
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_CONTROLS_OF_LATIN_1 = frozenset(range(0x80, 0xA0))
_MANY_NULS = 0.3


def detect_encoding(path: Path, *, target: str) -> str:
    """Return the encoding of a data file.

    Raises:
        DataError: The text is neither in UTF-8 nor in UTF-16; the hint names the encoding.
    """
    start = _first_bytes(path)
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if start.startswith(mark):
            return encoding
    if utf16 := _utf16_without_mark(start):
        return utf16
    _check_utf8(path, target)
    return "utf-8"


def check_encoding(encoding: str) -> str:
    """Return an encoding of texts, by the name that the user chose.

    Raises:
        UsageError: Python has no such encoding.
    """
    try:
        "".encode(encoding)
    except (LookupError, UnicodeError, ValueError) as error:
        raise UsageError(
            f"The encoding {encoding!r} is unknown.",
            hint="housectl init --help   # encodings are, for example, latin-1, cp1252 and utf-16",
        ) from error
    return "utf-8" if codecs.lookup(encoding).name == "utf-8" else encoding


def _first_bytes(path: Path) -> bytes:
    # Each byte is one character of Latin-1.
    with open_text(path, "latin-1") as text:
        return text.read(_PART).encode("latin-1")


def _utf16_without_mark(start: bytes) -> str | None:
    pairs = max(1, len(start) // 2)
    if start[1::2].count(0) > _MANY_NULS * pairs:
        return "utf-16-le"
    return "utf-16-be" if start[::2].count(0) > _MANY_NULS * pairs else None


def _check_utf8(path: Path, target: str) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    line = 1
    for part in _parts(path):
        try:
            line += decoder.decode(part).count("\n")
        except UnicodeDecodeError as error:
            line += error.object[: error.start].count(b"\n")
            raise _unknown_encoding(path, line, error.object, target) from error


def _parts(path: Path) -> Iterator[bytes]:
    with open_text(path, "latin-1") as text:
        while part := text.read(_PART):
            yield part.encode("latin-1")


def _unknown_encoding(path: Path, line: int, part: bytes, target: str) -> DataError:
    encoding = "cp1252" if _CONTROLS_OF_LATIN_1 & set(part) else "latin-1"
    command = f"housectl init --data {quote(str(path))} --target {quote(target)}"
    return DataError(
        f"{path}, line {line}: the text is not in UTF-8, and no byte order mark names another "
        "encoding.",
        hint=f"{command} --encoding {encoding}   # or save the file as UTF-8",
    )
