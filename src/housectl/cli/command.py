"""What all commands share: how they find the project, and how they show what they return.

A command is a function that makes one library call and returns a View. The decorators add the
options that every command has: --project, --store, --json, and the settings that it names.
"""

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from housectl.cli.settings import SETTINGS, option, parameter_name, variable
from housectl.cli.view import View

if TYPE_CHECKING:
    from housectl.pipeline import Pipeline
    from housectl.search import Watcher

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


def shown(command: Callable[..., View]) -> Callable[..., None]:
    """Make a command show the View that it returns, as text or with --json."""

    def run(*, json: bool, **given: object) -> None:
        _finish(command(**given), as_json=json)

    return _with_options(run, command, {"json": _JSON})


def on_store(command: Callable[..., View]) -> Callable[..., None]:
    """Give a command the store. Light: the project file is not read as a whole."""

    def run(*, project: Path | None, store: Path | None, json: bool, **given: object) -> None:
        from housectl.search import Watcher
        from housectl.workspace import find_workspace

        opened = ChampionStore(find_workspace(project, store).store)
        _finish(command(opened, **given), as_json=json)

    return _with_options(run, command, {"project": _PROJECT, "store": _STORE, "json": _JSON})


def on_project(*settings: str) -> Callable[[Callable[..., View]], Callable[..., None]]:
    """Give a command the pipeline over the project, with these settings put over the file's."""

    def decorate(command: Callable[..., View]) -> Callable[..., None]:
        def run(*, project: Path | None, store: Path | None, json: bool, **given: object) -> None:
            said = {name: given.pop(parameter_name(name)) for name in settings}
            from housectl.cli.console import watching

            with watching() as watcher:
                view = command(_open(project, store, said, watcher), **given)
            _finish(view, as_json=json)

        added = {parameter_name(name): option(name) for name in settings}
        return _with_options(
            run, command, {**added, "project": _PROJECT, "store": _STORE, "json": _JSON}
        )

    return decorate


def _open(
    project: Path | None, store: Path | None, said: Mapping[str, object], watcher: "Watcher"
) -> "Pipeline":
    from housectl.backends import backend_of
    from housectl.pipeline import Pipeline
    from housectl.search import Watcher
    from housectl.project import load_project
    from housectl.project_source import Override
    from housectl.workspace import find_workspace

    workspace = find_workspace(project, store)
    loaded = load_project(
        workspace.project_file,
        overrides={
            SETTINGS[name].field: Override(value, f"--{name} or {variable(name)}")
            for name, value in said.items()
            if value is not None
        },
    )
    return Pipeline(
        project=loaded,
        workspace=workspace,
        backend=backend_of(loaded.backend, workspace),
        watcher=watcher,
    )


def _with_options(
    run: Callable[..., None], command: Callable[..., View], added: Mapping[str, object]
) -> Callable[..., None]:
    """Return `run` with the command's name, help and own options, and the added ones."""
    own = [
        parameter
        for parameter in inspect.signature(command).parameters.values()
        if parameter.kind is not inspect.Parameter.POSITIONAL_ONLY
    ]
    extra = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=False if name == "json" else None,
            annotation=annotation,
        )
        for name, annotation in added.items()
    ]
    run.__name__ = command.__name__
    run.__doc__ = command.__doc__
    run.__signature__ = inspect.Signature([*own, *extra])  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in [*own, *extra]}
    return run


def _finish(view: View, *, as_json: bool) -> None:
    from housectl.cli.console import note

    view.show(as_json=as_json)
    for text in view.notes:
        note(text)
    if view.status:
        raise typer.Exit(view.status)
