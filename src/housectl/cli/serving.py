"""Commands about the running server: serve and verify."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from housectl import ExitStatus
from housectl.cli.decorators import pass_project
from housectl.cli.results import CommandResult, Table

if TYPE_CHECKING:
    from housectl import Project


@dataclass(frozen=True, kw_only=True)
class ServerProcess(CommandResult):
    """The server. Showing it replaces this process."""

    project: "Project"
    container: bool

    def show(self, *, as_json: bool) -> None:
        """Replace this process with the server, which logs to this terminal."""
        self.project.serve(container=self.container, json_logs=as_json)


@pass_project("host", "port")
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


@pass_project("url", "p99-ms", "rollback-on-failure", "host", "port", "deploy-details")
def verify(project: "Project", /) -> Table:
    """Verify over HTTP that the running server returns the champion's predictions.

    Exits with status 6 if it does not, and 8 if the server is unreachable.

    Example: housectl verify --url http://127.0.0.1:8005
    """
    verification = project.verify()
    failed = verification.rolled_back_from
    return Table(
        key="checks",
        rows=[
            {
                "check": check.name,
                "passed": check.passed,
                "expected": check.expected,
                "found": check.found,
            }
            for check in verification.report.checks
        ],
        empty="Nothing was checked.",
        heading={
            "url": verification.url,
            "champion": verification.champion.bundle,
            "passed": verification.report.passed,
            "rolled_back_from": failed.bundle if failed else None,
            "p50_ms": verification.report.p50_ms,
            "p99_ms": verification.report.p99_ms,
        },
        status=ExitStatus.OK if verification.ok else ExitStatus.VERIFICATION_FAILED,
    )
