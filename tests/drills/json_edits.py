"""Random edits of JSON documents."""

import json
from random import Random

_DEEP = "[" * 50_000 + "]" * 50_000
_RAW_VALUES = ("NaN", "-Infinity", "1e999", "9" * 5000, _DEEP, '"\\ud800"', "01", "\x00", "")
_VALUES = (
    None,
    True,
    -1,
    0,
    1.5,
    1e308,
    2**70,
    "",
    "x" * 10_000,
    "\x1b[2J",
    [],
    {},
    [[]],
    {"a": 1},
)
_PLACEHOLDER = "@placeholder@"


def with_edited_value(random: Random, document: object) -> str:
    """Return a document's text with a replaced, removed, repeated or added value."""
    holder = document
    while True:
        key = random.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
        if not holder[key] or not isinstance(holder[key], dict | list) or random.random() < 0.2:
            break
        holder = holder[key]
    raw = ""
    match random.randrange(5):
        case 0:
            del holder[key]
        case 1:
            holder[key] = random.choice(_VALUES)
        case 2 if isinstance(holder, dict):
            holder[random.choice(("more", "schema_version", "", "../model.onnx"))] = holder[key]
        case 3:
            holder[key] = [holder[key]] * random.choice((2, 3, 500))
        case _:
            holder[key] = _PLACEHOLDER
            raw = random.choice(_RAW_VALUES)
    return json.dumps(document).replace(f'"{_PLACEHOLDER}"', raw)
