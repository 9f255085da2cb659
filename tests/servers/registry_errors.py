"""Answers of the test registry: their form, and its errors."""

import json
from dataclasses import dataclass

JSON = "application/json; charset=UTF-8"
TEXT = "text/plain; charset=utf-8"

Object = dict[str, object]


@dataclass(frozen=True)
class Reply:
    """An answer; a type of None means no body."""

    status: int
    media_type: str | None
    text: str


class RefusedError(Exception):
    """An error in the registry's form."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.reply = Reply(status, JSON, go_json({"code": code, "message": message}))


def bad_request(message: str, *, status: int = 400) -> RefusedError:
    return RefusedError(status, "Bad Request", message)


def not_found(message: str) -> RefusedError:
    return RefusedError(404, "Not Found", f"{message}: not found")


def conflict(message: str) -> RefusedError:
    return RefusedError(409, "Conflict", f"{message}: conflict")


def internal_error(message: str) -> RefusedError:
    return RefusedError(500, "Internal Server Error", message)


def go_json(value: object) -> str:
    """Return JSON as Go writes it: keys sorted, whole numbers without a fraction."""
    text = json.dumps(_go_numbers(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _go_numbers(value: object) -> object:
    if isinstance(value, dict):
        return {name: _go_numbers(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_go_numbers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
