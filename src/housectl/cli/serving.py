"""Commands about the running server: serve and verify."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from housectl.cli.decorators import pass_project
from housectl.cli.results import CommandResult, Row, Table
from housectl.cli.settings import SERVE_SETTINGS, VERIFY_SETTINGS

if TYPE_CHECKING:
    from housectl import Project, Verification, VerificationRun

_LATENCY_HINT = (
    "Next: housectl verify   # on a less busy machine, or with a higher `verify: {p99_ms: …}`"
)


@dataclass(frozen=True, kw_only=True)
class ServerProcess(CommandResult):
    """The server. Showing it replaces this process."""

    project: "Project"
    container: bool

    def show(self, *, as_json: bool) -> None:
        """Replace this process with the server, which logs to this terminal."""
        self.project.serve(container=self.container, json_logs=as_json)


@pass_project(*SERVE_SETTINGS)
def serve(
    project: "Project",
    /,
    *,
    container: Annotated[
        bool, typer.Option("--container", help="Run in a container, with docker or podman.")
    ] = False,
) -> ServerProcess:
    """Serve the champion until Ctrl-C.

    The server switches to a new champion by itself.

    Example: housectl serve --port 8080
    """
    return ServerProcess(project=project, container=container)


@pass_project(*VERIFY_SETTINGS)
def verify(project: "Project", /) -> Table:
    """Verify over HTTP that the running server returns the champion's predictions.

    Exits with status 6 if it does not, and 8 if the server is unreachable. Only wrong
    predictions of the champion cause a rollback.

    Example: housectl verify --url http://127.0.0.1:8005
    """
    run = project.verify()
    return Table(
        key="checks",
        rows=_check_rows(run.report),
        empty="Nothing was checked.",
        heading={
            "url": run.url,
            "champion": run.champion.bundle,
            "passed": run.report.passed,
            "failed": run.report.failed,
            "done": run.done,
            **_rollback_row(run),
            "p50_ms": run.report.p50_ms,
            "p99_ms": run.report.p99_ms,
        },
        status=run.status,
        notes=[_LATENCY_HINT] if run.report.failed == ("latency",) else [],
    )


def _rollback_row(run: "VerificationRun") -> Row:
    after = run.report_after_rollback
    return {
        "rolled_back_from": run.champion.bundle if run.rolled_back_to else None,
        "rolled_back_to": run.rolled_back_to.bundle if run.rolled_back_to else None,
        "failed_after_rollback": after.failed if after else None,
    }


def _check_rows(report: "Verification") -> list[Row]:
    return [
        {
            "check": check.name,
            "passed": check.passed,
            "expected": check.expected,
            "found": check.found,
        }
        for check in report.checks
    ]
