"""Commands that set up a project: init and doctor."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import housectl
from housectl import ExitStatus
from housectl.cli.decorators import pass_project, renders
from housectl.cli.results import Fields, Table
from housectl.cli.settings import REGISTRY_SETTINGS, SEARCH_SETTINGS
from housectl.errors import UsageError

if TYPE_CHECKING:
    from housectl import Project


@renders
def init(
    *,
    data: Annotated[
        Path | None, typer.Option("--data", help="A CSV or Parquet file with a header.")
    ] = None,
    target: Annotated[str | None, typer.Option("--target", help="The column to predict.")] = None,
    output_dir: Annotated[
        Path, typer.Option("--output-dir", help="Directory of the new housectl.yaml.")
    ] = Path(),
    encoding: Annotated[
        str | None,
        typer.Option(
            "--encoding",
            help="Encoding of the file, such as latin-1; UTF-8 and UTF-16 are recognised.",
        ),
    ] = None,
    github: Annotated[
        bool,
        typer.Option(
            "--github",
            help="Also write workflows of GitHub Actions. Without --data, write only these, for "
            "the housectl.yaml in --output-dir.",
        ),
    ] = False,
) -> Fields | Table:
    """Write a housectl.yaml for a data file; it tunes without further edits.

    Example: housectl init --data houses.csv --target price
    """
    if github and data is None and target is None:
        files = housectl.init_github(output_dir)
        return Fields(fields={"workflows": [*map(str, files)]}, notes=[_next_on_github()])
    if data is None or target is None:
        raise UsageError(
            "A data file or its target column is missing: a project file describes both.",
            hint="housectl init --data FILE.csv --target COLUMN",
        )
    draft = housectl.init(data, target, output_dir=output_dir, encoding=encoding, github=github)
    workflows = {"workflows": [*map(str, draft.workflows)]} if github else {}
    return Table(
        heading={"written": str(draft.path), "csv": draft.csv, **workflows},
        details={"notes": [*draft.notes]},
        key="columns",
        rows=[
            {"column": each.name, "choice": each.choice, "reason": each.reason}
            for each in draft.columns
        ],
        empty="The file has no columns.",
        notes=[
            *draft.notes,
            f"To change a choice, edit {draft.path}: {housectl.documentation_url('data.md')}",
            _next_on_github() if github else f"Next: {_tune_command(output_dir)}",
        ],
    )


def _tune_command(output_dir: Path) -> str:
    elsewhere = output_dir.resolve() != Path.cwd()
    return shlex.join(("housectl", "tune", *(("-C", str(output_dir)) if elsewhere else ())))


def _next_on_github() -> str:
    page = housectl.documentation_url("github-actions.md")
    return f"Next: set the variables of the repository, then commit: {page}"


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
