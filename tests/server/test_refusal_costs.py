"""The cost of a refusal is bounded. The tests count calls of functions, because times vary."""

import sys
from collections.abc import Callable
from types import FrameType

import pytest

from housectl_server.model.row_errors import (
    MAX_ROWS,
    MAX_VIOLATIONS,
    InvalidRowError,
    UnreadableRowError,
)
from housectl_server.model.rows import RowParser
from tests.server.bundles import HOUSES

LIMIT = 1024 * 1024
ROW = '"RM": 6.5, "LSTAT": 5'
MAX_CALLS = 1_000


@pytest.fixture(scope="module")
def parser() -> RowParser:
    return RowParser(HOUSES, example=[4.0, 1.0])


def body_of(unit: Callable[[int], str], *, size: int = LIMIT) -> bytes:
    """Return a row with further members, about as many as fit."""
    return row_with(*(unit(number) for number in range(size // (len(unit(0)) + 6))))


def row_with(*members: str) -> bytes:
    return ("{" + ", ".join((*members, ROW)) + "}").encode()


def unknown_fields(count: int) -> bytes:
    return row_with(*(f'"unknown {number}": 1' for number in range(count)))


def calls_of(parse: Callable[[bytes], object], body: bytes) -> int:
    """Return the number of calls of functions that a refusal takes."""
    calls = 0

    def count(_: FrameType, event: str, __: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    sys.setprofile(count)
    try:
        with pytest.raises((InvalidRowError, UnreadableRowError)):
            parse(body)
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize(
    "body",
    [
        body_of(lambda number: f'"{number:x}": 1'),
        body_of(lambda number: f'"{number:x}": 1', size=16 * 1024),
        body_of(lambda _: '"a": 1'),
        body_of(lambda _: '"RM": 1'),
        body_of(lambda _: '"RM": 1', size=16 * 1024),
        body_of(lambda number: f'"{number:x}": []'),
        body_of(lambda number: f'"{number:x}": {{"a": 1}}', size=16 * 1024),
        body_of(lambda number: f'"{number}{"x" * 10_000}": 1'),
        unknown_fields(66),
        b'{"B": [' + b"[]," * (LIMIT // 3) + b"1], " + ROW.encode() + b"}",
        b'{"B": ' + b"[" * LIMIT,
        b"[" + b"{}," * (LIMIT // 3) + b"1]",
        b'{"RM": ' + b"1" * LIMIT + b', "LSTAT": 5}',
        b'{"RM": ' + b"1" * 330 + b', "LSTAT": 5}',
        b'{"RM": 6.5, "LSTAT": "' + b"x" * LIMIT + b'"}',
        b'{"RM": 6.5, "LSTAT": "' + rb"\u0041" * (LIMIT // 6) + b'"}',
        b"\xef\xbb\xbf" * (LIMIT // 3),
        b" " * LIMIT,
    ],
    ids=range(18),
)
def test_refusal_takes_few_calls(parser: RowParser, body: bytes) -> None:
    assert calls_of(parser.parse, body) < MAX_CALLS


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b"{}," * (16 * LIMIT // 3) + b"{}]",
        b"[" + b"{}," * MAX_ROWS + b"{}]",
        b"[" + b'{"RM": 1, "LSTAT": null},' * (MAX_ROWS - 1) + b"{}]",
        b"[" + unknown_fields(60) + b"," + unknown_fields(60) + b"]",
        b"[" * LIMIT,
        b"[1," + b'"a",' * MAX_ROWS + b"1]",
    ],
    ids=range(6),
)
def test_refusal_of_array_takes_few_calls(parser: RowParser, body: bytes) -> None:
    assert calls_of(parser.parse_array, body) < MAX_CALLS


def test_large_body_with_too_many_values_is_not_parsed(parser: RowParser) -> None:
    values = b"[]," * (LIMIT // 3)
    with pytest.raises(InvalidRowError, match="too many values"):
        parser.parse(b"not JSON" + values)
    with pytest.raises(UnreadableRowError):
        parser.parse(b"not JSON" + values[: LIMIT // 128])


def test_many_unknown_fields_are_reported_as_one_problem(parser: RowParser) -> None:
    with pytest.raises(InvalidRowError) as few:
        parser.parse(unknown_fields(64))
    assert len(few.value.violations) == MAX_VIOLATIONS
    with pytest.raises(InvalidRowError, match="more than 64 unknown fields") as many:
        parser.parse(unknown_fields(67))
    assert not many.value.violations


def test_long_text_in_excluded_column_is_accepted(parser: RowParser) -> None:
    text = "words, words " * (LIMIT // 128)
    assert parser.parse(f'{{"B": "{text}", {ROW}}}'.encode()) == [6.5, 5.0]


def test_long_numbers_in_excluded_column_are_accepted(parser: RowParser) -> None:
    numbers = "1" * 4_000
    assert parser.parse(f'{{"B": ["x", {numbers}, -{numbers}.5e9], {ROW}}}'.encode()) == [6.5, 5.0]
