"""Servers that read one kind of value wrongly: proxies that change some rows of requests."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace

from tests.server.typed_bundles import HOME, HOMES
from tests.verification.impostor import Answer, Reply, Request

Row = dict[str, object]

_NULLABLE = {each.name for each in HOMES.features if each.type.nullable}


def _replacing(name: str, value: object, other: object) -> Callable[[Row], Row]:
    """Return a function that takes one value of a field for another one."""
    return lambda row: row | {name: other} if name in row and row[name] == value else row


def _null_is_usual(row: Row) -> Row:
    return {name: HOME[name] if row[name] is None and name in HOME else row[name] for name in row}


def _omitted_is_usual(row: Row) -> Row:
    return {name: HOME[name] for name in _NULLABLE} | row


def _unknown_level_is(value: object) -> Callable[[Row], Row]:
    """Return a function that takes another value for each unknown level."""

    def change(row: Row) -> Row:
        levels = {"Ulm", "Bad Orb, Hessen"}
        is_unknown = isinstance(row.get("town"), str) and row["town"] not in levels
        return row | {"town": value} if is_unknown else row

    return change


def _group_is_its_only_level(row: Row) -> Row:
    return row | {"agent": "A"} if isinstance(row.get("agent"), str) else row


def _unknown_level_is_accepted(row: Row) -> Row:
    is_text = isinstance(row.get("heating"), str)
    return row | {"heating": "gas"} if is_text and row["heating"] not in {"gas", "öl"} else row


def _level_in_any_case(row: Row) -> Row:
    town = row.get("town")
    return row | {"town": town.capitalize()} if isinstance(town, str) and "," not in town else row


def _year_only(row: Row) -> Row:
    sold = row.get("sold")
    is_date = isinstance(sold, str) and sold[:4].isdecimal() and "-30" not in sold
    return row | {"sold": f"{str(sold)[:4]}-01-01"} if is_date else row


def _text_as_number(row: Row) -> Row:
    return row | {"pool": row["pool"] == "true"} if isinstance(row.get("pool"), str) else row


WAYS: Mapping[str, Callable[[Row], Row]] = {
    "level is another one": _replacing("town", "Ulm", "Bad Orb, Hessen"),
    "level is missing": _replacing("town", "Bad Orb, Hessen", None),
    "level is unknown": _replacing("town", "Ulm", "elsewhere"),
    "level of a refusing category is another one": _replacing("heating", "öl", "gas"),
    "missing level is a level": _replacing("town", None, "Ulm"),
    "unknown level is the first one": _unknown_level_is("Ulm"),
    "unknown level is refused": _unknown_level_is(1),
    "unknown level is accepted": _unknown_level_is_accepted,
    "level in any case": _level_in_any_case,
    "group is its only level": _group_is_its_only_level,
    "false is true": _replacing("pool", False, True),
    "boolean as text is accepted": _text_as_number,
    "missing boolean is true": _replacing("pool", None, True),
    "missing number is 0": _replacing("rooms", None, 0),
    "null is the usual value": _null_is_usual,
    "omitted field is the usual value": _omitted_is_usual,
    "date is its year": _year_only,
}


def trick(upstream: Answer, change: Callable[[Row], Row]) -> Answer:
    """Return the answers of a server to changed rows."""

    def answer(request: Request) -> Reply:
        changed = change(request.row)
        if not request.is_prediction or changed == request.row:
            return upstream(request)
        return upstream(replace(request, body=json.dumps(changed).encode()))

    return answer


def describing(upstream: Answer, name: str, described: Mapping[str, object]) -> Answer:
    """Return the answers of a server whose OpenAPI document describes a field in another way."""

    def answer(request: Request) -> Reply:
        reply = upstream(request)
        if request.path != "/openapi.json":
            return reply
        document = json.loads(json.dumps(reply.json))
        operation = document["paths"]["/predict"]["post"]
        body = operation["requestBody"]["content"]["application/json"]["schema"]
        body["anyOf"][0]["properties"][name] = described
        return reply.with_json(document)

    return answer
