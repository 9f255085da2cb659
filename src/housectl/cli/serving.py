"""Commands about the running service: serve and verify."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from housectl.cli.decorators import pass_pipeline
from housectl.cli.results import CommandResult, Table
from housectl.errors import ExitStatus

if TYPE_CHECKING:
    from housectl.pipeline import Pipeline


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    for command in (serve, verify):
        app.command()(command)


@dataclass(frozen=True, kw_only=True)
class Server(CommandResult):
    """Not a result: to show it is to become it."""

    store: Path
    host: str
    port: int

    def show(self, *, as_json: bool) -> None:
        """Replace this process by the server, which writes a line for each thing that happens."""
        from housectl.launch import exec_server

        exec_server(self.store, host=self.host, port=self.port, as_json=as_json)


@dataclass(frozen=True, kw_only=True)
class ContainerServer(Server):
    """The same in a container."""

    images: Path

    def show(self, *, as_json: bool) -> None:
        """Replace this process by the engine that runs the container."""
        from housectl.launch import exec_server_container

        exec_server_container(
            self.store, images=self.images, host=self.host, port=self.port, as_json=as_json
        )


@pass_pipeline("host", "port")
def serve(
    pipeline: "Pipeline",
    /,
    *,
    container: Annotated[
        bool, typer.Option("--container", help="In a container, with docker or podman.")
    ] = False,
) -> Server:
    """Serve the champion until Ctrl-C.

    A running server follows promotions and rollbacks.

    Example: housectl serve --port 8080
    """
    serving, workspace = pipeline.project.serve, pipeline.workspace
    if container:
        return ContainerServer(
            store=workspace.store, host=serving.host, port=serving.port, images=workspace.images
        )
    return Server(store=workspace.store, host=serving.host, port=serving.port)


@pass_pipeline("url", "p99-ms", "rollback-on-failure", "host", "port", "deploy-details")
def verify(pipeline: "Pipeline", /) -> Table:
    """Prove that the running server answers as the champion does.

    Ends with status 6 when it does not, and 8 when nobody answers.

    Example: housectl verify --url http://127.0.0.1:8005
    """
    verification = pipeline.verify()
    before = verification.rolled_back_from
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
            "rolled_back_from": before.bundle if before else None,
            "p50_ms": verification.report.p50_ms,
            "p99_ms": verification.report.p99_ms,
        },
        status=ExitStatus.OK if verification.ok else ExitStatus.VERIFICATION_FAILED,
    )
