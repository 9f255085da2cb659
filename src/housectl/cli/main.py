"""The entry point."""

from typing import Annotated

import typer

from housectl.cli import champions, cluster, experiments, serving
from housectl.cli import setup as starting
from housectl.cli import tuning as searching

app = typer.Typer(
    name="housectl",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
    help="From a search over tabular models to a running service that people trust.",
    epilog="The way: init, tune, promote, serve, verify.",
)
for group in (starting, searching, experiments, champions, serving, cluster):
    group.register(app)


def _version(wanted: bool) -> None:  # noqa: FBT001  # the shape of click's callbacks
    if wanted:
        from importlib.metadata import version

        typer.echo(f"housectl {version('housectl')}")
        raise typer.Exit


@app.callback()
def main(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """From a search over tabular models to a running service that people trust."""


def run() -> None:
    """Run the command line and end the process with its exit status."""
    app()
