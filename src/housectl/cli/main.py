"""The command line's entry point.

To add a command, write its function in a module of this package and list it in `COMMANDS`.
"""

import sys
from collections.abc import Callable
from typing import Annotated, cast

import typer

from housectl import ExitStatus, HousectlError
from housectl.cli import (
    champions,
    cluster,
    drifting,
    experiments,
    explaining,
    keys,
    predicting,
    registry,
    reproducing,
    running,
    serving,
    setup,
    stores,
    tuning,
)
from housectl.cli.console import note, print_error
from housectl.cli.streams import prepare_streams
from housectl.errors import UsageError

PITCH = "Tune regressors on a CSV, and deploy a new model only if it beats the one in production."

# typer exports only one of the parser's errors, not their base class.
_PARSER_ERROR = cast("type[typer.BadParameter]", typer.BadParameter.__base__)

COMMANDS: dict[str, Callable[..., None]] = {
    "init": setup.init,
    "doctor": setup.doctor,
    "render": tuning.render,
    "tune": tuning.tune,
    "list": experiments.list_experiments,
    "show": experiments.show,
    "status": experiments.status,
    "logs": experiments.logs,
    "stop": experiments.stop,
    "delete": experiments.delete,
    "prune": experiments.prune,
    "compare": champions.compare,
    "promote": champions.promote,
    "rollback": champions.rollback,
    "history": champions.history,
    "reproduce": reproducing.reproduce,
    "predict": predicting.predict,
    "serve": serving.serve,
    "verify": serving.verify,
    "drift": drifting.drift,
    "run": running.run,
    "explain": explaining.explain,
}

REGISTRY_COMMANDS: dict[str, Callable[..., None]] = {
    "status": registry.status,
    "sync": registry.sync,
}

CLUSTER_COMMANDS: dict[str, Callable[..., None]] = {"init": cluster.init}
KEYS_COMMANDS: dict[str, Callable[..., None]] = {
    "add": keys.add,
    "list": keys.list_keys,
    "remove": keys.remove,
}
STORE_COMMANDS: dict[str, Callable[..., None]] = {"copy": stores.copy, "check": stores.check}

app = typer.Typer(
    name="housectl",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
    help=PITCH,
    epilog="Typical workflow: init, tune, promote, serve, verify. Later: run.",
)
cluster_app = typer.Typer(no_args_is_help=True, help="Prepare a cluster with Katib.")
app.add_typer(cluster_app, name="cluster")
registry_app = typer.Typer(
    no_args_is_help=True, help="Mirror the history in a Kubeflow Model Registry."
)
app.add_typer(registry_app, name="registry")
store_app = typer.Typer(no_args_is_help=True, help="Copy and check champion stores.")
app.add_typer(store_app, name="store")
keys_app = typer.Typer(no_args_is_help=True, help="Manage the API keys of the server.")
app.add_typer(keys_app, name="keys")

for name, command in COMMANDS.items():
    app.command(name)(command)
for name, command in CLUSTER_COMMANDS.items():
    cluster_app.command(name)(command)
for name, command in REGISTRY_COMMANDS.items():
    registry_app.command(name)(command)
for name, command in KEYS_COMMANDS.items():
    keys_app.command(name)(command)
for name, command in STORE_COMMANDS.items():
    store_app.command(name)(command)


def _print_version(requested: bool) -> None:  # noqa: FBT001  # the signature of click's callbacks
    if requested:
        from importlib.metadata import version

        typer.echo(f"housectl {version('housectl')}")
        raise typer.Exit


@app.callback(help=PITCH)
def main(
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
        status: int | None = app(standalone_mode=False)
    except _PARSER_ERROR as error:
        return _report(error)
    except HousectlError as error:
        print_error(error, as_json=_json_requested())
        return error.status
    return status or ExitStatus.OK


def _report(error: typer.BadParameter) -> int:
    """Print an error of the parser, which without arguments is the help; return its status."""
    command = error.ctx.command_path if error.ctx else "housectl"
    if error.ctx and error.message == error.ctx.get_help():
        note(error.message)
    else:
        rejected = UsageError(f"{error.format_message().rstrip('.')}.", hint=f"{command} --help")
        print_error(rejected, as_json=_json_requested())
    return error.exit_code


def _json_requested() -> bool:
    return "--json" in sys.argv
