"""Request bodies: valid rows, and rows with each kind of mistake."""

import json
import math
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from housectl.contract.schema import Schema
from housectl.verification.fresh_rows import Row
from housectl.verification.mistakes import BreakValue, mistakes_of
from housectl.verification.probes import Refusal
from housectl.verification.value_writer import ValueWriter

# A server may shorten the names of fields in its problems.
_MAX_NAME_LENGTH = 100
_MAX_BODY_BYTES = 1024 * 1024
_MALFORMED = Refusal(statuses={HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY})
_TOO_LARGE = Refusal(statuses={HTTPStatus.REQUEST_ENTITY_TOO_LARGE})


@dataclass(frozen=True, kw_only=True)
class BadBody:
    """A body that a server must refuse.

    Attributes:
        mistake: Name of the mistake.
        row: The row without the mistake.
    """

    mistake: str
    body: bytes
    row: Row
    refusal: Refusal


class BodyWriter:
    """Writes rows as JSON, each in another of the ways in which clients write them.

    Args:
        schema: Schema of the rows.
        rng: Source of all choices.
    """

    def __init__(self, schema: Schema, rng: random.Random) -> None:
        self._schema = schema
        self._required = [each.name for each in schema.features if not each.type.nullable]
        self._writer = ValueWriter(rng)
        self._random = rng
        # Of each feature, the missing values are null and omitted in turn.
        self._omits = {name: bool(rng.getrandbits(1)) for name in schema.feature_names}

    def valid(self, row: Row) -> bytes:
        """Return the body of a row."""
        return self._write(self.fields(row))

    def fields(self, row: Row) -> dict[str, object]:
        """Return the fields of a row, with some excluded columns, which servers ignore."""
        values: dict[str, object] = {
            feature.name: self._writer.write(feature.type, value)
            for feature, value in zip(self._schema.features, row, strict=True)
            if not (math.isnan(value) and self._omits_next(feature.name))
        }
        for name in self._schema.excluded_names:
            if self._random.getrandbits(1):
                values[name] = self._random.choice((None, "", self._random.random()))
        return values

    def bad_bodies(self, draw_row: Callable[[], Row]) -> Iterator[BadBody]:
        """Yield one body for each mistake that clients make.

        Args:
            draw_row: Returns a new valid row.
        """
        for mistake, number in self._places_of_mistakes():
            break_value = mistakes_of(self._schema.features[number].type)[mistake]
            yield self._with_broken_value(mistake, break_value, draw_row(), number)
        if self._required:
            yield self._without_feature(draw_row())
            yield self._empty_object(draw_row())
        for make_body in (
            self._with_unknown_feature,
            self._array_of_array,
            self._truncated,
            self._empty,
            self._too_large,
        ):
            yield make_body(draw_row())

    def _places_of_mistakes(self) -> Iterator[tuple[str, int]]:
        """Yield each mistake with a random feature of each type that it applies to."""
        places: dict[tuple[str, type], list[int]] = {}
        for number, feature in enumerate(self._schema.features):
            for mistake in mistakes_of(feature.type):
                places.setdefault((mistake, type(feature.type)), []).append(number)
        for (mistake, _), numbers in places.items():
            yield mistake, self._random.choice(numbers)

    def _with_broken_value(
        self, mistake: str, break_value: BreakValue, row: Row, number: int
    ) -> BadBody:
        field = self._schema.feature_names[number]
        values = self.fields(row) | {field: break_value(row[number], self._random)}
        return self._naming(mistake, values, row, field)

    def _without_feature(self, row: Row) -> BadBody:
        missing = self._random.choice(self._required)
        values = {name: value for name, value in self.fields(row).items() if name != missing}
        return self._naming("missing feature", values, row, missing)

    def _with_unknown_feature(self, row: Row) -> BadBody:
        unknown = f"{self._schema.feature_names[0]}_{self._random.randbytes(4).hex()}"
        return self._naming("unknown feature", self.fields(row) | {unknown: 1}, row, unknown)

    def _naming(
        self, mistake: str, values: Mapping[str, object], row: Row, *fields: str
    ) -> BadBody:
        names = frozenset(name[:_MAX_NAME_LENGTH] for name in fields)
        refusal = Refusal(statuses={HTTPStatus.UNPROCESSABLE_ENTITY}, fields=names)
        return BadBody(mistake=mistake, body=self._write(values), row=row, refusal=refusal)

    def _empty_object(self, row: Row) -> BadBody:
        return self._naming("empty object", {}, row, *self._required)

    def _array_of_array(self, row: Row) -> BadBody:
        body = json.dumps([[self.fields(row)]]).encode()
        return BadBody(mistake="array of arrays", body=body, row=row, refusal=_MALFORMED)

    def _truncated(self, row: Row) -> BadBody:
        body = self.valid(row)[:-1]
        return BadBody(mistake="truncated object", body=body, row=row, refusal=_MALFORMED)

    def _empty(self, row: Row) -> BadBody:
        return BadBody(mistake="empty body", body=b"", row=row, refusal=_MALFORMED)

    def _too_large(self, row: Row) -> BadBody:
        body = self.valid(row).ljust(_MAX_BODY_BYTES + 1)
        return BadBody(mistake="body over 1 MiB", body=body, row=row, refusal=_TOO_LARGE)

    def _omits_next(self, name: str) -> bool:
        """Return True for every second missing value of a feature."""
        self._omits[name] = not self._omits[name]
        return self._omits[name]

    def _write(self, values: Mapping[str, object]) -> bytes:
        items = list(values.items())
        self._random.shuffle(items)
        separators = self._random.choice(((",", ":"), (", ", ": "), (" , ", " : ")))
        is_ascii = bool(self._random.getrandbits(1))
        return json.dumps(dict(items), separators=separators, ensure_ascii=is_ascii).encode()
