"""Types of the values in housectl.yaml: durations, sizes, numbers, and names from a registry."""

import re
from dataclasses import dataclass
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from housectl.contract.families import Family
from housectl.contract.recipe import ObjectiveFolds
from housectl.contract.serving_settings import ORIGIN_PATTERN, ROOT_PATH_PATTERN
from housectl.errors import UsageError
from housectl.quantities import parse_quantity
from housectl.store.address import ADDRESS_FORMS, StoreAddress

MAX_LABEL_LENGTH = 255
MAX_WORKERS = 256
AUTO: Final = "auto"
"""The value that means all families, or as many workers as the backend has by default."""

_DURATION_PATTERN = r"^(\d+(\.\d+)?h)?(\d+(\.\d+)?m)?(\d+(\.\d+)?s)?$"
_SECONDS_PER_UNIT = {"h": 3600, "m": 60, "s": 1}
_SIZE_PATTERN = r"^\d+(\.\d+)?(Ki|Mi|Gi|Ti|k|M|G|T)?$"


def parse_duration(value: object) -> object:
    """Return seconds for a text such as `90s`, `10m` or `1h30m`; other values as they are."""
    if not isinstance(value, str):
        return value
    if not value or not re.fullmatch(_DURATION_PATTERN, value, re.ASCII):
        raise ValueError("a duration such as 90s, 10m or 1h30m")
    parts = re.findall(r"([\d.]+)([hms])", value)
    return float(sum(float(number) * _SECONDS_PER_UNIT[unit] for number, unit in parts))


def parse_size(value: object) -> object:
    """Return bytes for a text such as `512Mi` or `4Gi`; other values as they are."""
    if not isinstance(value, str):
        return value
    if not re.fullmatch(_SIZE_PATTERN, value):
        raise ValueError("a size such as 512Mi or 4Gi")
    return int(parse_quantity(value))


def _parse_workers(value: object) -> object:
    """Return the number in a text such as `16`, which a flag has; `auto` and numbers as they are.

    Raises:
        ValueError: The value is neither `auto` nor a number of workers.
    """
    number = int(value) if isinstance(value, str) and re.fullmatch(r"\d{1,3}", value) else value
    if number == AUTO or (type(number) is int and 1 <= number <= MAX_WORKERS):
        return number
    raise ValueError(f"{AUTO}, or a whole number from 1 to {MAX_WORKERS}")


def _check_no_boolean(value: object) -> object:
    # Python's True equals 1.
    if value is True or value is False:
        raise ValueError("1, 3 or 5")
    return value


def _check_no_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("a text without NUL characters")
    return text


def _check_root_path(text: str) -> str:
    if not re.fullmatch(ROOT_PATH_PATTERN, text):
        raise ValueError("a path such as /models/boston, without a slash at its end")
    return text


def _split_origins(value: object) -> object:
    """Return the origins in a text with commas, which a flag has; other values as they are."""
    return value.split(",") if isinstance(value, str) else value


def _check_origin(text: str) -> str:
    if not re.fullmatch(ORIGIN_PATTERN, text):
        raise ValueError("an origin in lower case, such as https://shop.example, or *")
    return text


def _check_store_address(text: str) -> str:
    try:
        StoreAddress.parse(text)
    except UsageError as error:
        raise ValueError(ADDRESS_FORMS) from error
    return text


def check_http_url(text: str) -> str:
    """Return the URL of a server without a slash at its end.

    Raises:
        ValueError: The URL is invalid.
        PydanticCustomError: The URL has a part that can be secret, which no message may show.
    """
    expected = "a URL such as http://127.0.0.1:8080, without user, password, query or fragment"
    if set("@?#") & set(text):
        found = {"found": "a URL with a user, a query or a fragment", "expected": expected}
        raise PydanticCustomError("cross_field", "expected {expected}", found)
    try:
        url = urlsplit(text)
        valid_port = url.port != 0
    except ValueError as error:
        raise ValueError(expected) from error
    is_plain = text.isascii() and text.isprintable() and not set(text) & set(" \\")
    if not (is_plain and url.scheme in {"http", "https"} and url.hostname and valid_port):
        raise ValueError(expected)
    return text.rstrip("/")


def check_label(text: str) -> str:
    """Return a name for people.

    Raises:
        ValueError: The name is too long, has control characters, or has no text.
    """
    if not (text.strip() and text.isprintable() and len(text) <= MAX_LABEL_LENGTH):
        raise ValueError(f"a text of up to {MAX_LABEL_LENGTH} printable characters")
    return text


Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    Field(strict=True, gt=0, allow_inf_nan=False),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0},
                {"type": "string", "pattern": _DURATION_PATTERN},
            ]
        }
    ),
]
Size = Annotated[
    int,
    BeforeValidator(parse_size),
    Field(strict=True, gt=0),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "exclusiveMinimum": 0},
                {"type": "string", "pattern": _SIZE_PATTERN},
            ]
        }
    ),
]
HttpUrl = Annotated[
    str, AfterValidator(check_http_url), WithJsonSchema({"type": "string", "pattern": "^https?://"})
]
"""Root URL of a server, without a slash at its end."""

Label = Annotated[
    str,
    AfterValidator(check_label),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": MAX_LABEL_LENGTH}),
]
"""A name for people, in one line."""

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Integer = Annotated[int, Field(strict=True)]
Folds = Annotated[ObjectiveFolds, BeforeValidator(_check_no_boolean)]
Lag = Literal[8, 16, 32, 64, 128, 256]
Workers = Annotated[
    int | Literal["auto"],
    BeforeValidator(_parse_workers),
    WithJsonSchema(
        {"anyOf": [{"const": AUTO}, {"type": "integer", "minimum": 1, "maximum": MAX_WORKERS}]}
    ),
]
NonEmptyStr = Annotated[str, Field(min_length=1), AfterValidator(_check_no_nul)]
RootPath = Annotated[str, AfterValidator(_check_root_path)]
Origins = Annotated[
    tuple[Annotated[str, AfterValidator(_check_origin)], ...],
    BeforeValidator(_split_origins),
    Field(max_length=100),
]
StoreText = Annotated[NonEmptyStr, AfterValidator(_check_store_address)]


@dataclass(frozen=True)
class OneOf:
    """Annotation of a text that has to be a name in a registry."""

    names: tuple[str, ...]

    def __get_pydantic_core_schema__(self, *_: object) -> CoreSchema:
        """Validate like a Literal of these names."""
        return core_schema.literal_schema(list(self.names))


_FAMILY_CHOICES = (*(family.value for family in Family), AUTO)

FamilyField = Annotated[str, OneOf(_FAMILY_CHOICES)]
