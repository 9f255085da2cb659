"""Request bodies: valid ones, and one for each kind of mistake."""

import json
import math
from dataclasses import dataclass

from housectl.contract.golden import Golden, GoldenRow

_UNKNOWN_FEATURE = "no_such_feature"
_TOO_LARGE_BYTES = 1024 * 1024 + 1


def row_payload(golden: Golden, row: GoldenRow) -> dict[str, object]:
    """Return the JSON object of a golden row, as a client sends it."""
    return dict(zip(golden.features, row.row, strict=True))


def to_body(value: object) -> bytes:
    """Return a value as a JSON request body."""
    return json.dumps(value).encode()


@dataclass(frozen=True, kw_only=True)
class BadInput:
    """A body that a server must reject, and the field that the error must name."""

    name: str
    body: bytes
    field: str | None = None


def bad_inputs(golden: Golden) -> tuple[BadInput, ...]:
    """Return one body for each kind of mistake that clients make."""
    row = row_payload(golden, golden.rows[0])
    field = golden.features[0]
    values = {
        "null": None,
        "text": "a text",
        "number as text": "1",
        "boolean": True,
        "NaN": math.nan,
        "Infinity": math.inf,
        "1e39 (float32 overflow)": 1e39,
    }
    missing = {name: value for name, value in row.items() if name != field}
    return (
        *(
            BadInput(name=name, body=to_body(row | {field: value}), field=field)
            for name, value in values.items()
        ),
        BadInput(name="missing feature", body=to_body(missing), field=field),
        BadInput(
            name="unknown feature",
            body=to_body(row | {_UNKNOWN_FEATURE: 1}),
            field=_UNKNOWN_FEATURE,
        ),
        BadInput(name="empty object", body=b"{}", field=field),
        BadInput(name="array", body=to_body([row])),
        BadInput(name="truncated object", body=to_body(row)[:-1]),
        BadInput(name="empty body", body=b""),
        BadInput(name="body over 1 MiB", body=to_body(row).ljust(_TOO_LARGE_BYTES)),
    )
