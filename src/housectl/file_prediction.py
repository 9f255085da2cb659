"""Predictions for the rows of a data file, without a server and in bounded memory."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from os import PathLike
from pathlib import Path
from shlex import quote
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, TextIO

from housectl.contract.bundle import Bundle
from housectl.contract.data.canonical_csv import csv_lines
from housectl.contract.data.csv_format import CsvFormat
from housectl.contract.data.data_file import format_of_cells
from housectl.contract.data.file_amount import file_amount
from housectl.contract.data.rows_to_predict import PredictionReader, RowsToPredict
from housectl.contract.files import atomic_stream
from housectl.errors import DataError, UsageError
from housectl.work_progress import WorkProgress, ignore_share

if TYPE_CHECKING:
    from housectl.contract.contributions import ContributionScale, Explainer
    from housectl.contract.graph.arrays import Doubles
    from housectl.contract.scorer import Scorer
    from housectl.waiting import ProgressReporter

CONTRIBUTION_PREFIX = "contribution:"

_SPOOLED_CHARACTERS = 2**24


@dataclass(frozen=True, kw_only=True)
class PredictedRow:
    """A row of a file with its prediction.

    Attributes:
        line: Line of the row.
        prediction: In the target's unit.
        contributions: Contribution of each feature, by name; empty unless they were asked for.
    """

    line: int
    prediction: float
    contributions: Mapping[str, float]


@dataclass(frozen=True)
class _PredictedChunk:
    rows: RowsToPredict
    predictions: Sequence[float]
    contributions: "Doubles | None"


@dataclass(frozen=True, kw_only=True)
class FilePrediction:
    """A data file whose rows a model predicts; each method reads the file again.

    Attributes:
        bundle: The model.
        path: The file. It has a column for each feature; other columns are kept.
        csv_format: Format of the file, if it is CSV.
        explain: True if contributions of the features are computed.

    >>> prediction = project.predict_file("data.csv")
    >>> rows = prediction.write_csv("predicted.csv")
    >>> next(prediction.rows()).line
    2
    """

    bundle: Bundle
    path: Path
    csv_format: CsvFormat
    explain: bool

    @property
    def version(self) -> str:
        """First digits of the model's digest."""
        return self.bundle.version

    @property
    def baseline(self) -> float | None:
        """Sum of a row's prediction without its contributions; None if there are none.

        Raises:
            UsageError: An earlier version of housectl sealed the model.
        """
        return self._explainer.baseline if self._explainer else None

    @property
    def scale(self) -> "ContributionScale | None":
        """Quantity that baseline and contributions add up to; None if there are none."""
        return self._explainer.scale if self._explainer else None

    def rows(self) -> Iterator[PredictedRow]:
        """Yield the predictions of all rows, in the order of the file.

        Raises:
            DataError: The file or one of its cells is invalid; the message names the line.
        """
        reader = self._reader()
        return self._rows(self._chunks(reader))

    def write_csv(
        self,
        output: "str | PathLike[str] | TextIO",
        *,
        progress: "ProgressReporter | None" = None,
    ) -> int:
        """Write all columns of the file as CSV, with the predictions, and return their number.

        The separator and the decimal mark are those of the file.

        Args:
            output: File to write atomically, or an open text file.
            progress: Receives the finished share of the work; None for silence.

        Raises:
            DataError: The file or one of its cells is invalid; the message names the line.
            UsageError: The output is the file itself.
            LocalEnvironmentError: The output cannot be written.
        """
        reader = self._reader()
        self._check_names(reader.names)
        cells_format = format_of_cells(self.path, self.csv_format)
        to_bytes = partial(csv_lines, separator=cells_format.separator)
        written = 0
        with self._opened(output) as write:
            write(to_bytes([[*reader.names, *self._new_names]]))
            for chunk in self._chunks(reader, progress):
                write(to_bytes(_extended_cells(chunk, cells_format.decimal)))
                written += len(chunk.predictions)
        return written

    def write_json(self, output: TextIO, *, progress: "ProgressReporter | None" = None) -> int:
        """Write the predictions as one JSON object, and return their number.

        Raises:
            DataError: The file or one of its cells is invalid; nothing is written then.
        """
        heading: dict[str, object] = {"version": self.version, "digest": self.bundle.digest}
        if self._explainer:
            heading |= {"baseline": self.baseline, "scale": self.scale}
        written = 0
        with SpooledTemporaryFile(_SPOOLED_CHARACTERS, "w+", encoding="utf-8") as spool:
            spool.write(json.dumps(heading)[:-1] + ', "predictions": [')
            for row in self._rows(self._chunks(self._reader(), progress)):
                spool.write(("\n" if written == 0 else ",\n") + json.dumps(_json_row(row)))
                written += 1
            spool.write(f'\n], "rows": {written}}}\n')
            spool.seek(0)
            shutil.copyfileobj(spool, output)
        return written

    @cached_property
    def _scorer(self) -> "Scorer":
        from housectl.contract.scorer import open_bundle

        return open_bundle(self.bundle)

    @cached_property
    def _explainer(self) -> "Explainer | None":
        if not self.explain:
            return None
        from housectl.contract.contributions import open_explainer

        return open_explainer(self.bundle)

    @property
    def _new_names(self) -> Sequence[str]:
        """Names of the added columns."""
        schema = self.bundle.record.schema
        names = schema.feature_names if self.explain else ()
        return (
            schema.target.response_key,
            *(f"{CONTRIBUTION_PREFIX}{name}" for name in names),
        )

    def _reader(self) -> PredictionReader:
        return PredictionReader(self.path, self.bundle.record.schema, self.csv_format)

    def _check_names(self, names: Sequence[str]) -> None:
        """Check that no added column exists.

        Raises:
            DataError: A column has the name of an added one.
        """
        for name in self._new_names:
            if name in names:
                raise DataError(
                    f"{self.path} has a column {name!r} already, which is the name of the "
                    "predictions.",
                    hint="Remove or rename that column.",
                )

    def _chunks(
        self, reader: PredictionReader, progress: "ProgressReporter | None" = None
    ) -> Iterator[_PredictedChunk]:
        amount = file_amount(self.path)
        report = partial(progress.on_share, "predict") if progress else ignore_share
        work = WorkProgress(amount.total, report)
        for rows in reader.chunks():
            yield _PredictedChunk(
                rows=rows,
                predictions=self._scorer.predict(rows.values),
                contributions=self._contributions(rows.values),
            )
            work.add(sum(map(amount.of_row, rows.cells)))

    def _contributions(self, values: "Doubles") -> "Doubles | None":
        return self._explainer.contributions(values) if self._explainer else None

    def _rows(self, chunks: Iterator[_PredictedChunk]) -> Iterator[PredictedRow]:
        names = self.bundle.record.schema.feature_names
        for chunk in chunks:
            for line, prediction, contributions in zip(
                chunk.rows.lines, chunk.predictions, _lists(chunk), strict=True
            ):
                by_name = dict(zip(names, contributions, strict=True)) if self.explain else {}
                yield PredictedRow(line=line, prediction=prediction, contributions=by_name)

    @contextmanager
    def _opened(
        self, output: "str | PathLike[str] | TextIO"
    ) -> Iterator[Callable[[bytes], object]]:
        """Yield a function that writes bytes of UTF-8 to the output."""
        if not isinstance(output, str | PathLike):
            yield lambda data: output.write(data.decode())
            return
        path = Path(output)
        if path.exists() and path.samefile(self.path):
            raise UsageError(
                f"The output {path} is the file with the rows.", hint="Name another output file."
            )
        with atomic_stream(path) as file:
            yield file.write


def checked_path(path: "str | PathLike[str]") -> Path:
    """Return the path of a file that exists.

    Raises:
        UsageError: There is no such file.
    """
    checked = Path(path)
    if not checked.is_file():
        parent = next(each for each in checked.absolute().parents if each.exists())
        raise UsageError(
            f"Cannot read {checked}: there is no such file.", hint=f"ls {quote(str(parent))}"
        )
    return checked


def _lists(chunk: _PredictedChunk) -> Sequence[Sequence[float]]:
    """Return the contributions of each row; empty ones if there are none."""
    if chunk.contributions is None:
        return [()] * len(chunk.predictions)
    lists: list[list[float]] = chunk.contributions.tolist()
    return lists


def _extended_cells(chunk: _PredictedChunk, decimal: str) -> Iterator[Sequence[str]]:
    """Yield the cells of each row with those of the prediction."""
    for cells, prediction, contributions in zip(
        chunk.rows.cells, chunk.predictions, _lists(chunk), strict=True
    ):
        numbers = map(repr, (prediction, *contributions))
        yield [*cells, *(number.replace(".", decimal) for number in numbers)]


def _json_row(row: PredictedRow) -> Mapping[str, object]:
    fields: dict[str, object] = {"line": row.line, "prediction": row.prediction}
    return {**fields, "contributions": row.contributions} if row.contributions else fields
