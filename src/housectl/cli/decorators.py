"""What all commands share: how they find the project, and how they show what they return.

A command is a function that makes one library call and returns a View. The decorators add the
options that every command has: --project, --store, --json, and the settings that it names.
"""

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from housectl.cli.results import Result
from housectl.cli.settings import SETTINGS, env_var, option, parameter_name, settings_from_handle
from housectl.errors import ExitStatus, HousectlError

if TYPE_CHECKING:
    from housectl.pipeline import Pipeline
    from housectl.search import ProgressReporter

_PROJECT = Annotated[
    Path | None,
    typer.Option(
        "--project",
        "-C",
        envvar="HOUSECTL_PROJECT",
        help="housectl.yaml or its directory; by default looked for here and above.",
    ),
]
_STORE = Annotated[
    Path | None,
    typer.Option("--store", envvar="HOUSECTL_STORE", help="The champion store's directory."),
]
_JSON = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, and nothing else.")]


def renders(command: Callable[..., Result]) -> Callable[..., None]:
    """Make a command show the View that it returns."""
    return _with_options(command, command, {})


def pass_store(command: Callable[..., Result]) -> Callable[..., None]:
    """Give a command the store. Light: the project file is not read as a whole."""

    def run(*, project: Path | None, store: Path | None, **given: object) -> Result:
        from housectl.store import ChampionStore
        from housectl.workspace import find_workspace

        return command(ChampionStore(find_workspace(project, store).store), **given)

    return _with_options(run, command, {"project": _PROJECT, "store": _STORE})


def pass_pipeline(*settings: str) -> Callable[[Callable[..., Result]], Callable[..., None]]:
    """Give a command the pipeline over the project, with these settings put over the file's."""

    def decorate(command: Callable[..., Result]) -> Callable[..., None]:
        def run(*, project: Path | None, store: Path | None, **given: object) -> Result:
            from housectl.cli.progress import progress_reporter

            said = {name: given.pop(parameter_name(name)) for name in settings}
            for name, value in settings_from_handle(
                given.get("resume") or given.get("name")
            ).items():
                said[name] = said.get(name) or value
            with progress_reporter() as watcher:
                return command(_open(project, store, said, watcher), **given)

        added = {parameter_name(name): option(name) for name in settings}
        return _with_options(run, command, {**added, "project": _PROJECT, "store": _STORE})

    return decorate


def _open(
    project: Path | None,
    store: Path | None,
    said: Mapping[str, object],
    watcher: "ProgressReporter",
) -> "Pipeline":
    from housectl.backends.factory import create_backend
    from housectl.pipeline import Pipeline
    from housectl.project.config import load_config
    from housectl.project.source import Override
    from housectl.workspace import find_workspace

    workspace = find_workspace(project, store)
    loaded = load_config(
        workspace.project_file,
        overrides={
            SETTINGS[name].field: Override(value, f"--{name} or {env_var(name)}")
            for name, value in said.items()
            if value is not None
        },
    )
    return Pipeline(
        project=loaded,
        workspace=workspace,
        backend=create_backend(loaded, workspace),
        progress=watcher,
    )


def _with_options(
    run: Callable[..., Result], command: Callable[..., Result], added: Mapping[str, object]
) -> Callable[..., None]:
    """Return what typer calls: with the command's name and help, its options and the added."""

    def called(*, json: bool, **given: object) -> None:
        raise typer.Exit(_status(lambda: run(**given), as_json=json))

    own = [
        parameter
        for parameter in inspect.signature(command).parameters.values()
        if parameter.kind is not inspect.Parameter.POSITIONAL_ONLY
    ]
    extra = [_keyword(name, annotation) for name, annotation in added.items()]
    parameters = [*own, *extra, _keyword("json", _JSON, default=False)]
    called.__name__ = command.__name__
    called.__doc__ = command.__doc__
    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return called


def _keyword(name: str, annotation: object, *, default: object = None) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )


def _status(run: Callable[[], Result], *, as_json: bool) -> ExitStatus:
    """Run a command and show its view: the boundary where failures become messages."""
    from housectl.cli.console import note, print_error

    try:
        view = run()
        view.show(as_json=as_json)
    except HousectlError as error:
        print_error(error, as_json=as_json)
        return error.status
    except KeyboardInterrupt:
        return ExitStatus.INTERRUPTED
    for text in view.notes:
        note(text)
    return view.status
