"""Safe first use of msgspec types: the library crashes if two threads analyse a type at once."""

from functools import cache
from threading import Lock

import msgspec

_LOCK = Lock()


def analyse_type(kind: type[msgspec.Struct]) -> None:
    """Let msgspec analyse a type and its fields, unless it has done so before.

    msgspec analyses a type when it first decodes one, and another thread can then read the
    incomplete result, which is a segmentation fault. Call this before each decoding.
    """
    with _LOCK:
        _analyse(kind)


@cache
def _analyse(kind: type[msgspec.Struct]) -> None:
    msgspec.json.Decoder(kind)
