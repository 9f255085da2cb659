"""Commands to start with: init and doctor."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from housectl.cli.decorators import pass_pipeline, renders
from housectl.cli.results import Fields, Table
from housectl.cli.settings import SEARCH_SETTINGS
from housectl.errors import ExitStatus

if TYPE_CHECKING:
    from housectl.pipeline import Pipeline


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (init, doctor):
        app.command()(command)


@renders
def init(
    *,
    data: Annotated[Path, typer.Option("--data", help="A CSV file with a header.")],
    target: Annotated[str, typer.Option("--target", help="The column to predict.")],
    output_dir: Annotated[
        Path, typer.Option("--output-dir", help="The directory that gets housectl.yaml.")
    ] = Path(),
) -> Fields:
    """Draft a housectl.yaml for a CSV file; the draft tunes as it is.

    Example: housectl init --data houses.csv --target price
    """
    from housectl.scaffold.draft import draft_project, write_draft
    from housectl.workspace import PROJECT_FILE

    path = output_dir / PROJECT_FILE
    drafted = draft_project(data, target, root=output_dir)
    write_draft(drafted, path)
    return Fields(
        fields={"written": str(path), "notes": list(drafted.notes)},
        notes=[*drafted.notes, "Next: housectl tune"],
    )


@pass_pipeline(*SEARCH_SETTINGS, "host", "port")
def doctor(pipeline: "Pipeline", /) -> Table:
    """Check this machine, the project, and the cluster if it is to run there, with hints.

    Example: housectl doctor
    """
    from housectl.backends.doctor_check import CheckContext
    from housectl.doctor.runner import run_checks

    context = CheckContext(
        project=pipeline.project, workspace=pipeline.workspace, inputs=pipeline.write_inputs
    )
    results = [*run_checks(context)]
    failed = [result.status for result in results if result.status]
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
        empty="Nothing to check.",
        status=failed[0] if failed else ExitStatus.OK,
    )
