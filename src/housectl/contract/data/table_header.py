"""The header of a data file: the index of each required column, and its problems."""

from collections.abc import Container, Iterator, Sequence

from housectl.contract.data.csv_format import CsvFormat
from housectl.contract.data.text_cells import read_plain_numbers
from housectl.contract.schema import Schema
from housectl.errors import DataError

_MAX_SHOWN_PROBLEMS = 8
_MAX_NAME_LENGTH = 60


def column_names(header: Sequence[str], accepted: Container[str] = ()) -> list[str]:
    """Return the names of all columns, without the spaces around them.

    A column without a name is called after its position, as pandas does: `Unnamed: 0` is the first
    column.

    Args:
        header: The first row.
        accepted: Names that keep their spaces.
    """
    names = (name if name in accepted else name.strip() for name in header)
    return [name or f"Unnamed: {index}" for index, name in enumerate(names)]


def column_indices(
    header: Sequence[str],
    schema: Schema,
    csv_format: CsvFormat,
    *,
    extra: Sequence[str],
    place: str,
) -> dict[str, int]:
    """Return the index of each required column.

    Args:
        header: The first row.
        schema: Names all columns, of which the excluded ones may be absent.
        csv_format: Format of the file.
        extra: Names of further required columns.
        place: File and line of the header.

    Raises:
        DataError: A column is missing, unknown or there twice, or the file has no header.
    """
    required = [*schema.feature_names, schema.target.name, *extra]
    accepted = {*required, *schema.excluded_names}
    names = column_names(header, accepted)
    if not header:
        raise _wrong_header(place, ["the header is empty"])
    if not set(names) & set(required) and _has_number(header, csv_format):
        raise DataError(
            f"{place}: the file has no header: its first line has numbers, and no column of "
            "housectl.yaml.",
            hint="Add a first line with the names of the columns to the data file.",
        )
    if len(names) == 1 < len(required):
        raise DataError(
            f"{place}: the header has only one column, {_shown(names[0])}.",
            hint="If cells have another separator, or lines precede the header, add such a line to "
            f'housectl.yaml: `csv: {{separator: "{_probable_separator(names[0])}"}}` or '
            "`csv: {skip_lines: 1}`.",
        )
    if problems := list(_problems(names, required, accepted)):
        raise _wrong_header(place, problems)
    return {name: index for index, name in enumerate(names)}


def _problems(names: Sequence[str], required: Sequence[str], accepted: set[str]) -> Iterator[str]:
    positions: dict[str, list[int]] = {}
    for position, name in enumerate(names, start=1):
        positions.setdefault(name, []).append(position)
    for name in sorted(set(required) - positions.keys()):
        yield f"column {_shown(name)} is missing"
    for name in sorted(positions.keys() - accepted):
        yield f"column {_shown(name)} is not in housectl.yaml"
    for name in sorted(name for name, places in positions.items() if len(places) > 1):
        yield f"column {_shown(name)} occurs {_describe_places(positions[name])}"


def _describe_places(places: Sequence[int]) -> str:
    count = "twice" if len(places) == 2 else f"{len(places)} times"  # noqa: PLR2004
    return f"{count}, as columns {', '.join(map(str, places[:_MAX_SHOWN_PROBLEMS]))}"


def _shown(name: str) -> str:
    return repr(name[:_MAX_NAME_LENGTH])


def _probable_separator(header: str) -> str:
    return "\\t" if "\t" in header else "|" if "|" in header else ";"


def _has_number(header: Sequence[str], csv_format: CsvFormat) -> bool:
    numbers = filter(None, map(csv_format.plain_number, header))
    return any(read_plain_numbers([number]) for number in numbers)


def _wrong_header(place: str, problems: Sequence[str]) -> DataError:
    rest = len(problems) - _MAX_SHOWN_PROBLEMS
    listed = [*problems[:_MAX_SHOWN_PROBLEMS], *([f"and {rest} more"] if rest > 0 else [])]
    return DataError(
        f"{place}: {'; '.join(listed)}.",
        hint="List every column in housectl.yaml under `features:`, `exclude:` or `target:`, "
        "or draft a new file: housectl init --data FILE --target COLUMN",
    )
