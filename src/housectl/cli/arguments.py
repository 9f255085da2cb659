"""Arguments and options that several commands share, with shell completion of names."""

from pathlib import Path
from typing import Annotated

import typer

import housectl
from housectl import errors


def complete_name(incomplete: str) -> list[str]:
    """Return the names of local experiments that start with `incomplete`."""
    try:
        names = housectl.open().local_experiment_names()
    except errors.ProjectError:
        return []
    return [name for name in names if name.startswith(incomplete)]


Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="An experiment's name or handle.", autocompletion=complete_name
    ),
]
OptionalName = Annotated[
    str | None,
    typer.Argument(
        metavar="NAME",
        help="An experiment's name or handle; by default the newest experiment.",
        autocompletion=complete_name,
        show_default=False,
    ),
]
ChallengerName = Annotated[
    str | None,
    typer.Argument(
        metavar="NAME",
        help="An experiment; its best trial is sealed if necessary. By default the experiment "
        "that was sealed last.",
        autocompletion=complete_name,
        show_default=False,
    ),
]
ProjectPath = Annotated[
    Path | None,
    typer.Option(
        "--project",
        "-C",
        envvar="HOUSECTL_PROJECT",
        help="A housectl.yaml or its directory; by default the nearest one, here or above.",
    ),
]
