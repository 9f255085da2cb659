"""Commands to start with: init and doctor."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from housectl.cli.decorators import on_project, shown
from housectl.cli.results import Fields, Table
from housectl.cli.settings import SEARCH_SETTINGS
from housectl.errors import ExitStatus

if TYPE_CHECKING:
    from housectl.pipeline import Pipeline


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (init, doctor):
        app.command()(command)


@shown
def init(
    *,
    data: Annotated[Path, typer.Option("--data", help="A CSV file with a header.")],
    target: Annotated[str, typer.Option("--target", help="The column to predict.")],
    into: Annotated[
        Path, typer.Option("--into", help="The directory that gets housectl.yaml.")
    ] = Path(),
) -> Fields:
    """Draft a housectl.yaml for a CSV file; the draft tunes as it is.

    Example: housectl init --data houses.csv --target price
    """
    from housectl.scaffold.draft import draft, write_draft
    from housectl.workspace import PROJECT_FILE

    path = into / PROJECT_FILE
    drafted = draft(data, target, root=into)
    write_draft(drafted, path)
    return Fields(
        fields={"written": str(path), "notes": list(drafted.notes)},
        notes=[*drafted.notes, "Next: housectl tune"],
    )


@on_project(*SEARCH_SETTINGS, "host", "port")
def doctor(pipeline: "Pipeline", /) -> Table:
    """Check this machine, the project, and the cluster if it is to run there, with cures.

    Example: housectl doctor
    """
    from housectl.doctor.check import Patient
    from housectl.doctor.runner import examine

    patient = Patient(
        project=pipeline.project, workspace=pipeline.workspace, inputs=pipeline.write_inputs
    )
    findings = [*examine(patient)]
    failed = [finding.status for finding in findings if finding.status]
    return Table(
        key="checks",
        rows=[
            {
                "check": finding.check,
                "result": finding.result,
                "found": finding.found,
                "cure": finding.cure,
            }
            for finding in findings
        ],
        empty="Nothing to check.",
        status=failed[0] if failed else ExitStatus.DONE,
    )
