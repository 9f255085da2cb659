"""The command that runs all steps from tune to verify."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from housectl import Step, StepAction
from housectl.cli.console import note
from housectl.cli.decorators import pass_project
from housectl.cli.formatting import format_duration
from housectl.cli.job_summary import WithJobSummary
from housectl.cli.markdown import run_tables
from housectl.cli.results import Document, Result, Row, Table
from housectl.cli.settings import SEARCH_SETTINGS, VERIFY_SETTINGS

if TYPE_CHECKING:
    from housectl import PipelineRun, Project, StepResult


@pass_project(*SEARCH_SETTINGS, "gate", *VERIFY_SETTINGS)
def run(
    project: "Project",
    /,
    *,
    from_step: Annotated[
        Step | None, typer.Option("--from", help="Run this step and all later ones in any case.")
    ] = None,
    to_step: Annotated[Step, typer.Option("--to", help="The last step.")] = Step.VERIFY,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the steps that would run; change nothing.")
    ] = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the verdict and the steps as Markdown tables.")
    ] = False,
) -> Result:
    """Tune, promote, wait until the server follows, and verify it.

    A step is skipped if its inputs have not changed since its last success. After an interruption,
    the next run continues. Exits with status 10 if the champion stays, and 6 if the server is
    wrong or was rolled back. In GitHub Actions, the job's summary shows the verdict and the steps.

    Example: housectl run --to promote
    """
    if dry_run:
        return _result(project.plan_run(from_step=from_step, to_step=to_step), markdown=markdown)
    try:
        finished = project.run(
            from_step=from_step, to_step=to_step, on_step=partial(_report, project)
        )
    except KeyboardInterrupt:
        note(
            "\nA running search continues. Reattach: housectl run   "
            "Stop: housectl stop NAME   (housectl list shows the name)"
        )
        raise
    result = _result(finished, markdown=markdown)
    return WithJobSummary(result=result, markdown=run_tables(finished))


def _report(project: "Project", result: "StepResult") -> None:
    if result.action is not StepAction.STARTED:
        note(f"{result.step} {result.action}: {result.outcome or result.reason}.")
        return
    limit = f", for at most {format_duration(result.time_limit)}" if result.time_limit else ""
    note(f"{result.step} runs{limit}: {result.reason}.")
    if result.step is Step.TUNE:
        seconds = project.estimate_setup_seconds()
        note(f"Preparing the search: about {format_duration(seconds)}.")


def _result(run: "PipelineRun", *, markdown: bool) -> Result:
    search = run.models.search
    heading = {
        "experiment": search.experiment if search else None,
        "challenger": search.challenger if search else None,
        "champion": run.models.champion,
        "promoted": run.models.promoted,
    }
    rows = [_row(result) for result in run.steps]
    if markdown:
        return Document(text=run_tables(run), fields={**heading, "steps": rows}, status=run.status)
    return Table(key="steps", rows=rows, empty="", heading=heading, status=run.status)


def _row(result: "StepResult") -> Row:
    return {
        "step": result.step,
        "action": result.action,
        "reason": result.reason,
        "outcome": result.outcome,
    }
