"""The command that trains a bundle again: reproduce."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from housectl.cli import console
from housectl.cli.decorators import pass_project
from housectl.cli.results import CommandResult, Row
from housectl.cli.settings import BACKEND_SETTINGS

if TYPE_CHECKING:
    from housectl import Project

_DIGITS = 12


@dataclass(frozen=True, kw_only=True)
class Reproduced(CommandResult):
    """A summary, the compared files, and the inputs that differ."""

    summary: Row
    files: Sequence[Row]
    differing_inputs: Sequence[Row]

    def show(self, *, as_json: bool) -> None:
        """Print the summary and both tables, or one JSON object."""
        if as_json:
            tables = {"files": self.files, "differing_inputs": self.differing_inputs}
            console.print_json({**self.summary, **tables})
            return
        console.print_fields(self.summary)
        console.print_table(self.files)
        if self.differing_inputs:
            console.print_table(self.differing_inputs)


@pass_project(*BACKEND_SETTINGS)
def reproduce(
    project: "Project",
    /,
    version: Annotated[
        str | None,
        typer.Argument(
            metavar="VERSION",
            help="First digits of a bundle's digest; by default the champion.",
            show_default=False,
        ),
    ] = None,
    *,
    output_dir: Annotated[
        Path | None,
        typer.Option("--output-dir", help="New directory that keeps the reproduced files."),
    ] = None,
) -> Reproduced:
    """Train a bundle again from its record, in a fresh environment, and compare all files.

    Exits with status 5 if a file differs, and names the inputs that differ.

    Example: housectl reproduce
    """
    reproduction = project.reproduce(version, output_dir=output_dir)
    return Reproduced(
        summary={
            "version": reproduction.bundle.version,
            "identical": reproduction.identical,
            "reason": reproduction.reason,
        },
        files=[
            {
                "file": each.file,
                "recorded": _first_digits(each.recorded),
                "reproduced": _first_digits(each.reproduced),
                "equal": each.equal,
            }
            for each in reproduction.files
        ],
        differing_inputs=[
            {"input": each.input, "recorded": each.recorded, "reproduced": each.reproduced}
            for each in reproduction.differing_inputs
        ],
        notes=reproduction.notes,
        status=reproduction.status,
    )


def _first_digits(digest: str | None) -> str | None:
    return digest[:_DIGITS] if digest else None
