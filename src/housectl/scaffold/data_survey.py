"""Survey of a data file: its format and its columns, without a project file."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import compress, islice
from pathlib import Path
from typing import Self

from housectl.contract.data.csv_format import CsvFormat
from housectl.contract.data.missing_texts import INFINITE, MISSING, MISSING_AMONG_NUMBERS
from housectl.contract.data.text_file import FileKind, file_kind
from housectl.scaffold.columns.profile import ColumnProfile
from housectl.scaffold.file_format.data_columns import DataColumns, read_columns
from housectl.scaffold.file_format.dialect import detect_dialect
from housectl.scaffold.file_format.header_checks import check_header, check_header_exists
from housectl.scaffold.file_format.number_marks import with_number_marks
from housectl.scaffold.file_format.number_text import are_numbers
from housectl.scaffold.file_format.units_row import find_units

_SAMPLE = 2000


@dataclass(frozen=True, kw_only=True)
class _DistinctTexts:
    """Some of the different texts of a column.

    Attributes:
        sample: Texts with digits.
        missing: Texts that stand for missing values.
        among_numbers: Texts that stand for missing values in a column of numbers.
    """

    sample: Sequence[str]
    missing: Sequence[str]
    among_numbers: Sequence[str]

    @classmethod
    def of(cls, chunks: Iterable[Sequence[str]]) -> Self:
        """Return the texts of a column.

        Args:
            chunks: The texts of many rows. One dictionary of all texts of a large file would be
                slow.
        """
        sample: dict[str, None] = {}
        missing: dict[str, None] = {}
        among_numbers: dict[str, None] = {}
        for chunk in chunks:
            texts = dict.fromkeys(chunk)
            if len(sample) < _SAMPLE:
                sample |= dict.fromkeys(text for text in texts if any(map(str.isdigit, text)))
            missing |= dict.fromkeys(MISSING & texts.keys())
            among_numbers |= dict.fromkeys(
                text for text in texts if text.lower() in MISSING_AMONG_NUMBERS
            )
        return cls(
            sample=[*islice(sample, _SAMPLE)],
            missing=sorted(missing),
            among_numbers=[*among_numbers],
        )


@dataclass(frozen=True, kw_only=True)
class DataSurvey:
    """The columns of a data file, and its format.

    Attributes:
        csv_format: Format of the file.
        target: The column to predict.
        further_missing: Texts that are missing values only among numbers, by column.
    """

    columns: DataColumns
    csv_format: CsvFormat
    target: str
    further_missing: Mapping[str, Sequence[str]]

    @property
    def feature_names(self) -> list[str]:
        """Names of the columns without the target."""
        return [name for name in self.columns.names if name != self.target]

    @cached_property
    def target_profile(self) -> ColumnProfile:
        """Profile of the target, with all rows."""
        return self._profile(self.target)

    def profile(self, name: str) -> ColumnProfile:
        """Return the profile of a column, from the rows that have a target."""
        whole = self._profile(name)
        target = self.target_profile
        if not target.missing:
            return whole
        kept = [text in target.counts for text in target.cells]
        return replace(
            whole,
            cells=[*compress(whole.cells, kept)],
            lines=[*compress(whole.lines, kept)],
        )

    def notes(self) -> Iterator[str]:
        """Yield points to review about missing values."""
        for name, texts in self.further_missing.items():
            if infinite := [text for text in texts if text.lower() in INFINITE]:
                yield f"Infinite numbers of {name} count as missing: {', '.join(infinite)}."

    def _profile(self, name: str) -> ColumnProfile:
        further = {text for texts in self.further_missing.values() for text in texts}
        further -= {*self.further_missing.get(name, ())}
        missing = tuple(text for text in self.csv_format.missing if text not in further)
        return ColumnProfile(
            name=name,
            cells=self.columns.cells(name),
            lines=self.columns.row_lines,
            csv_format=replace(self.csv_format, missing=missing),
            unit=(self.columns.units or {}).get(name, ""),
        )


def survey_data(path: Path, *, target: str, encoding: str | None) -> DataSurvey:
    """Read a data file, and detect its format.

    Args:
        path: The file.
        target: The column to predict.
        encoding: Encoding of the file; None to detect it.

    Raises:
        DataError: The file cannot be read, rows have different lengths, or the header is invalid.
        UsageError: The encoding is unknown.
    """
    is_csv = file_kind(path) is not FileKind.PARQUET
    csv_format = detect_dialect(path, target=target, encoding=encoding)
    columns = read_columns(path, csv_format)
    distinct = [_DistinctTexts.of(columns.cell_chunks(name)) for name in columns.names]
    if is_csv:
        csv_format = replace(csv_format, footer_lines=columns.footer_lines)
        csv_format = with_number_marks(csv_format, [each.sample for each in distinct])
    csv_format = _with_missing(csv_format, [each.missing for each in distinct])
    if is_csv:
        check_header_exists(path, columns, csv_format)
    check_header(path, columns, csv_format)
    further = _missing_among_numbers(columns, distinct, csv_format)
    csv_format = _with_missing(csv_format, further.values())
    units = find_units(columns, csv_format) if is_csv else None
    return DataSurvey(
        columns=replace(columns, units=units),
        csv_format=replace(csv_format, units_row=units is not None),
        target=target,
        further_missing=further,
    )


def _missing_among_numbers(
    columns: DataColumns, distinct: Sequence[_DistinctTexts], csv_format: CsvFormat
) -> Mapping[str, Sequence[str]]:
    return {
        name: each.among_numbers
        for name, each in zip(columns.names, distinct, strict=True)
        if each.among_numbers
        and are_numbers({*columns.cells(name)}, _with_missing(csv_format, [each.among_numbers]))
    }


def _with_missing(csv_format: CsvFormat, found: Iterable[Sequence[str]]) -> CsvFormat:
    texts = dict.fromkeys((*csv_format.missing, *(text for texts in found for text in texts)))
    return replace(csv_format, missing=tuple(texts))
