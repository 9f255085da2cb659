"""The command that trains a bundle again: reproduce."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from housectl.cli.decorators import pass_project
from housectl.cli.results import Row, Table
from housectl.cli.settings import BACKEND_SETTINGS

if TYPE_CHECKING:
    from housectl import Project, Reproduction

_DIGITS = 12


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
) -> Table:
    """Train a bundle again from its record, in a fresh environment, and compare all files.

    Exits with status 5 if a file differs, and names the inputs that differ.

    Example: housectl reproduce
    """
    reproduction = project.reproduce(version, output_dir=output_dir)
    return Table(
        key="files",
        rows=[
            {
                "file": each.file,
                "recorded": _first_digits(each.recorded),
                "reproduced": _first_digits(each.reproduced),
                "equal": each.equal,
            }
            for each in reproduction.files
        ],
        empty="The bundle has no files.",
        heading=_heading(reproduction),
        notes=reproduction.notes,
        status=reproduction.status,
    )


def _heading(reproduction: "Reproduction") -> Row:
    return {
        "version": reproduction.bundle.version,
        "identical": reproduction.identical,
        "reason": reproduction.reason,
        "differing_inputs": [
            {"input": each.input, "recorded": each.recorded, "reproduced": each.reproduced}
            for each in reproduction.differing_inputs
        ],
    }


def _first_digits(digest: str | None) -> str | None:
    return digest[:_DIGITS] if digest else None
