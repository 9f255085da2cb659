"""Commands that set up a project: init and doctor."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import housectl
from housectl import ExitStatus
from housectl.cli.decorators import pass_project, renders
from housectl.cli.results import Fields, Table
from housectl.cli.settings import REGISTRY_SETTINGS, SEARCH_SETTINGS

if TYPE_CHECKING:
    from housectl import Project


@renders
def init(
    *,
    data: Annotated[Path, typer.Option("--data", help="A CSV file with a header.")],
    target: Annotated[str, typer.Option("--target", help="The column to predict.")],
    output_dir: Annotated[
        Path, typer.Option("--output-dir", help="Directory of the new housectl.yaml.")
    ] = Path(),
) -> Fields:
    """Write a housectl.yaml for a CSV file; it tunes without further edits.

    Example: housectl init --data houses.csv --target price
    """
    draft = housectl.init(data, target, output_dir=output_dir)
    return Fields(
        fields={"written": str(draft.path), "notes": list(draft.notes)},
        notes=[*draft.notes, "Next: housectl tune"],
    )


@pass_project(*SEARCH_SETTINGS, "host", "port", *REGISTRY_SETTINGS)
def doctor(project: "Project", /) -> Table:
    """Check the machine, the project and, for Katib, the cluster; suggest fixes.

    Example: housectl doctor
    """
    results = [*project.doctor()]
    failures = [result.status for result in results if result.status]
    return Table(
        key="checks",
        rows=[
            {
                "check": result.name,
                "result": result.outcome,
                "found": result.message,
                "hint": result.hint,
            }
            for result in results
        ],
        empty="Nothing was checked.",
        status=failures[0] if failures else ExitStatus.OK,
    )
