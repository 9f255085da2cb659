"""The command predict: predictions for the rows of a file, without a server."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from housectl.cli import console
from housectl.cli.decorators import pass_project
from housectl.cli.progress import progress_reporter
from housectl.cli.results import CommandResult

if TYPE_CHECKING:
    from housectl import FilePrediction, Project


@dataclass(frozen=True, kw_only=True)
class PredictedRows(CommandResult):
    """The predictions. Showing them computes and writes them."""

    prediction: "FilePrediction"
    output: Path | None

    def show(self, *, as_json: bool) -> None:
        """Write a CSV file and print its size, or print CSV or one JSON object."""
        if self.output is not None:
            self._write_file(self.output, as_json=as_json)
            return
        write = self.prediction.write_json if as_json else self.prediction.write_csv
        if sys.stdout.isatty():
            write(sys.stdout)
            return
        with progress_reporter() as progress:
            write(sys.stdout, progress=progress)

    def _write_file(self, output: Path, *, as_json: bool) -> None:
        with progress_reporter() as progress:
            rows = self.prediction.write_csv(output, progress=progress)
        fields = {
            "output": output,
            "rows": rows,
            "version": self.prediction.version,
            "baseline": self.prediction.baseline,
        }
        (console.print_json if as_json else console.print_fields)(fields)


@pass_project()
def predict(
    project: "Project",
    /,
    *,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A CSV or Parquet file with the features.")
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="CSV file to write; default: stdout."),
    ] = None,
    version: Annotated[
        str | None,
        typer.Option("--version", metavar="VERSION", help="A bundle; by default the champion."),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Add the contribution of each feature.")
    ] = False,
) -> PredictedRows:
    """Predict the rows of a file with the champion, without a server.

    The output has all columns of the file and the predictions. Columns are matched by their
    names, and the target may be missing.

    Example: housectl predict houses.csv -o predicted.csv
    """
    prediction = project.predict_file(file, version=version, explain=explain)
    return PredictedRows(prediction=prediction, output=output, notes=_notes(prediction))


def _notes(prediction: "FilePrediction") -> Sequence[str]:
    if prediction.baseline is None:
        return ()
    quantity = "the logarithm of the prediction" if prediction.scale == "log" else "the prediction"
    return [f"The contributions and the baseline {prediction.baseline!r} add up to {quantity}."]
