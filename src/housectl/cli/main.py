"""The command line's entry point.

To add a command, write its function in a module of this package and list it in `COMMANDS`.
"""

import gc
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, cast

import typer

from housectl import ExitStatus, HousectlError
from housectl.cli.console import note, print_error
from housectl.cli.streams import prepare_streams
from housectl.errors import UsageError

PITCH = "Tune regressors on a CSV, and deploy a new model only if it beats the one in production."

# typer exports only one of the parser's errors, not their base class.
_PARSER_ERROR = cast("type[typer.BadParameter]", typer.BadParameter.__base__)

COMMANDS = {
    "init": "setup.init",
    "doctor": "setup.doctor",
    "render": "tuning.render",
    "tune": "tuning.tune",
    "list": "experiments.list_experiments",
    "show": "experiments.show",
    "status": "experiments.status",
    "logs": "experiments.logs",
    "stop": "experiments.stop",
    "delete": "experiments.delete",
    "prune": "experiments.prune",
    "compare": "champions.compare",
    "promote": "champions.promote",
    "rollback": "champions.rollback",
    "history": "champions.history",
    "reproduce": "reproducing.reproduce",
    "predict": "predicting.predict",
    "serve": "serving.serve",
    "verify": "serving.verify",
    "drift": "drifting.drift",
    "run": "running.run",
    "explain": "explaining.explain",
}
"""The commands, each with its module in this package and its function."""


@dataclass(frozen=True)
class Group:
    """Commands of one subject."""

    help: str
    commands: Mapping[str, str]


GROUPS = {
    "cluster": Group("Prepare a cluster with Katib.", {"init": "cluster.init"}),
    "registry": Group(
        "Mirror the history in a Kubeflow Model Registry.",
        {"status": "registry.status", "sync": "registry.sync"},
    ),
    "store": Group(
        "Copy and check champion stores.", {"copy": "stores.copy", "check": "stores.check"}
    ),
    "keys": Group(
        "Manage the API keys of the server.",
        {"add": "keys.add", "list": "keys.list_keys", "remove": "keys.remove"},
    ),
}


ALL = (*COMMANDS, *GROUPS)


def make_app(names: Collection[str] = ALL) -> typer.Typer:
    """Return the command line with some commands and groups; the import of all takes 20 ms."""
    app = typer.Typer(
        name="housectl",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["--help", "-h"]},
        epilog="Typical workflow: init, tune, promote, serve, verify. Later: run.",
    )
    app.callback(help=PITCH)(_main)
    for name in names:
        if name in GROUPS:
            app.add_typer(_group_app(GROUPS[name]), name=name)
        else:
            _add_command(app, name, COMMANDS[name])
    return app


def _group_app(group: Group) -> typer.Typer:
    app = typer.Typer(no_args_is_help=True, help=group.help)
    for name, path in group.commands.items():
        _add_command(app, name, path)
    return app


def _add_command(app: typer.Typer, name: str, path: str) -> None:
    module, function = path.split(".")
    app.command(name)(getattr(import_module(f"housectl.cli.{module}"), function))


def _print_version(requested: bool) -> None:  # noqa: FBT001  # the signature of click's callbacks
    if requested:
        from importlib.metadata import version

        typer.echo(f"housectl {version('housectl')}")
        raise typer.Exit


def _main(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Parse the options that precede a command."""


def run() -> int:
    """Run the command line, and return the command's exit status."""
    prepare_streams()
    try:
        status: int | None = make_app(_requested())(standalone_mode=False)
    except _PARSER_ERROR as error:
        return _report(error)
    except HousectlError as error:
        print_error(error, as_json=_json_requested())
        return error.status
    finally:
        # At its exit, Python would search all objects for cycles, which takes up to 50 ms.
        gc.freeze()
    return status or ExitStatus.OK


def _requested() -> Collection[str]:
    """Return the requested command or group; all for the help, options and unknown commands."""
    first = sys.argv[1] if len(sys.argv) > 1 else ""
    return (first,) if first in ALL else ALL


def _report(error: typer.BadParameter) -> int:
    """Print an error of the parser, which without arguments is the help; return its status."""
    command = error.ctx.command_path if error.ctx else "housectl"
    if error.ctx and error.message == error.ctx.get_help():
        note(error.message)
    else:
        rejected = UsageError(_sentence(error.format_message()), hint=f"{command} --help")
        print_error(rejected, as_json=_json_requested())
    return error.exit_code


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?")) else f"{text}."


def _json_requested() -> bool:
    return "--json" in sys.argv
