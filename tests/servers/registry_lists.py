"""Lists of the test registry: pages, orders and filters."""

import base64
import re
from collections.abc import Iterable, Mapping

from tests.servers.registry_errors import JSON, Object, Reply, bad_request, go_json


def page(objects: Iterable[Object], query: Mapping[str, str]) -> Reply:
    items = [each for each in objects if _matches(each, query.get("filterQuery", ""))]
    by_time = query.get("orderBy") == "CREATE_TIME"
    items.sort(
        key=lambda each: (int(str(each["createTimeSinceEpoch"])) if by_time else 0, _id(each)),
        reverse=query.get("sortOrder") == "DESC",
    )
    size = query.get("pageSize", "0")
    if not size.isdecimal():
        raise bad_request(
            f'invalid numeric string: strconv.ParseInt: parsing "{size}": invalid syntax: '
            "bad request"
        )
    if token := query.get("nextPageToken"):
        items = [each for each in items if _id(each) > _id_of(token)]
    shown = items[: int(size) or None]
    last = str(shown[-1]["id"]) if len(shown) < len(items) else ""
    following = base64.b64encode(f"{last}:{last}".encode()).decode() if last else ""
    content = {
        "items": shown,
        "nextPageToken": following,
        "pageSize": int(size),
        "size": len(shown),
    }
    return Reply(200, JSON, go_json(content))


def _id(each: Object) -> int:
    return int(str(each["id"]))


def _id_of(token: str) -> int:
    try:
        return int(base64.b64decode(token, validate=True).partition(b":")[0])
    except ValueError as error:
        raise bad_request(
            "invalid nextPageToken: illegal base64 data at input byte 0: bad request"
        ) from error


_CONDITION = re.compile(
    r"`?(?P<name>[\w.]+?)(\.double_value)?`?\s*(?P<operator>=|<|LIKE)\s*(?P<value>.+)"
)


def _matches(each: Object, query: str) -> bool:
    """Return True if an object fits a filter in one of the recorded forms."""
    return all(_fits(each, condition) for condition in query.split(" AND ") if condition)


def _fits(each: Object, condition: str) -> bool:
    match = _CONDITION.fullmatch(condition)
    if match is None or match["value"].startswith("="):
        column = condition.index("==") + 2
        raise bad_request(
            f"invalid filter query syntax: error parsing filter query: 1:{column}: unexpected "
            'token "=" (expected Value). Hint: String values must be quoted (e.g., name="value"). '
            "Numbers and booleans don't need quotes (e.g., id>5, active=true): bad request"
        )
    found, value = _value(each, match["name"]), match["value"].strip("'")
    if found is None:
        return False
    if match["operator"] == "<":
        return float(str(found)) < float(value)
    if match["operator"] == "LIKE":
        return re.fullmatch(re.escape(value).replace("%", ".*"), str(found)) is not None
    return str(found) == value


def _value(each: Object, name: str) -> object:
    properties = each["customProperties"]
    assert isinstance(properties, dict)
    values = [item for key, item in properties.get(name, {}).items() if key != "metadataType"]
    return values[0] if values else each.get(name)
