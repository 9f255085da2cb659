"""Decorators that turn functions into commands.

A command is a function that makes one call of the public API and returns a result. The decorators
add the options --project, --store and --json, and the settings that the command names.
"""

import inspect
import os
import shlex
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

import housectl
from housectl import ExitStatus, HousectlError
from housectl.cli.arguments import ProjectPath
from housectl.cli.console import note, print_error
from housectl.cli.hints import repeat_locations
from housectl.cli.progress import progress_reporter
from housectl.cli.results import Result
from housectl.cli.settings import (
    SETTINGS,
    env_var,
    flag,
    option,
    parameter_name,
    settings_from_handle,
)
from housectl.errors import LocalEnvironmentError

_STORE = Annotated[
    str | None,
    typer.Option(
        "--store",
        envvar="HOUSECTL_STORE",
        help="The champion store: a directory, or a URL such as s3://BUCKET/PREFIX.",
    ),
]
_JSON = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, and nothing else.")]


def renders(command: Callable[..., Result]) -> Callable[..., None]:
    """Show the result of a command that needs no project."""
    return _with_options(command, command, {})


def pass_project(*settings: str) -> Callable[[Callable[..., Result]], Callable[..., None]]:
    """Pass a command the project, with these settings as options, and show its result."""

    def decorate(command: Callable[..., Result]) -> Callable[..., None]:
        def run(*, project: Path | None, store: str | None, **arguments: object) -> Result:
            given = {"project": project, "store": store, **arguments}
            complete = partial(repeat_locations, arguments=given)
            values = {name: arguments.pop(parameter_name(name)) for name in settings}
            handle = arguments.get("resume") or arguments.get("name")
            overrides = {**_overrides_of_handle(handle), **_overrides(values)}
            with progress_reporter(complete) as progress:
                opened = housectl.open(project, store=store, settings=overrides, progress=progress)
                return command(opened, **arguments)

        options = {parameter_name(name): option(name) for name in settings}
        return _with_options(run, command, {**options, "project": ProjectPath, "store": _STORE})

    return decorate


def _overrides(values: Mapping[str, object]) -> Mapping[str, object]:
    """Return the given settings by their fields, each with its flag and variable for messages."""
    return {
        SETTINGS[name].field: housectl.Override(value, f"{flag(name)} or {env_var(name)}")
        for name, value in values.items()
        if value is not None
    }


def _overrides_of_handle(handle: object) -> Mapping[str, object]:
    """Return the settings that the URL of an experiment implies."""
    return {
        SETTINGS[name].field: housectl.Override(value, str(handle))
        for name, value in settings_from_handle(handle).items()
    }


def _with_options(
    run: Callable[..., Result], command: Callable[..., Result], options: Mapping[str, object]
) -> Callable[..., None]:
    """Return a function for typer, with the command's name, help and parameters, and options."""

    def typer_command(*, json: bool, **arguments: object) -> None:
        complete = partial(repeat_locations, arguments=arguments)
        raise typer.Exit(_exit_status(lambda: run(**arguments), as_json=json, complete=complete))

    own = [
        parameter
        for parameter in inspect.signature(command).parameters.values()
        if parameter.kind is not inspect.Parameter.POSITIONAL_ONLY
    ]
    shared = [_keyword(name, annotation) for name, annotation in options.items()]
    parameters = [*own, *shared, _keyword("json", _JSON, default=False)]
    typer_command.__name__ = command.__name__
    typer_command.__doc__ = command.__doc__
    typer_command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    typer_command.__annotations__ = {each.name: each.annotation for each in parameters}
    return typer_command


def _keyword(name: str, annotation: object, *, default: object = None) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )


def _exit_status(
    run: Callable[[], Result], *, as_json: bool, complete: Callable[[str], str]
) -> ExitStatus:
    """Run a command and show its result: here errors become messages.

    Args:
        run: The command.
        as_json: Print JSON.
        complete: Completes a hint.
    """
    try:
        result = run()
        result.show(as_json=as_json)
    except HousectlError as error:
        error.hint = complete(error.hint)
        print_error(error, as_json=as_json)
        return error.status
    except OSError as error:
        translated = _environment_error(error)
        print_error(translated, as_json=as_json)
        return translated.status
    except KeyboardInterrupt:
        return ExitStatus.INTERRUPTED
    for text in result.notes:
        note(complete(text))
    return result.status


def _environment_error(error: OSError) -> LocalEnvironmentError:
    """Return the message for an error of the operating system that no operation expects."""
    if error.filename is None:
        return LocalEnvironmentError(
            f"The operating system reports: {error}.", hint="housectl doctor"
        )
    path = os.fsdecode(error.filename)
    return LocalEnvironmentError(
        f"Cannot use {path}: {error.strerror}.", hint=f"ls -ld {shlex.quote(path)}"
    )
