"""The entry point, and the boundary where failures become messages and exit statuses."""

import os
import sys
from typing import Annotated

import click
import typer

from housectl.cli import champions, experiments, serving, starting
from housectl.errors import ExitStatus, HousectlError

app = typer.Typer(
    name="housectl",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
    help="From a search over tabular models to a running service that people trust.",
    epilog="The way: init, tune, promote, serve, verify.",
)
for group in (starting, experiments, champions, serving):
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
    sys.exit(_status())


def _status() -> int:
    try:
        return app(standalone_mode=False) or ExitStatus.DONE
    except HousectlError as error:
        from housectl.cli.console import print_error

        print_error(error, as_json="--json" in sys.argv)
        return error.status
    except click.ClickException as error:
        error.show()
        return ExitStatus.USAGE
    except (click.Abort, KeyboardInterrupt):
        return ExitStatus.INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has gone; Python must not complain about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitStatus.DONE
