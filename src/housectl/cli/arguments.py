"""The arguments that name experiments, with the shell's completion for them."""

from typing import Annotated

import typer

from housectl.errors import ProjectError


def completed_names(incomplete: str) -> list[str]:
    """Return the names of local experiments that begin so."""
    from housectl.workspace import find_workspace

    try:
        runs = find_workspace(None, None).runs
    except ProjectError:
        return []
    return sorted(path.name for path in runs.glob("[!.]*") if path.name.startswith(incomplete))


Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME", help="An experiment's name or handle.", autocompletion=completed_names
    ),
]
OptionalName = Annotated[
    str | None,
    typer.Argument(
        metavar="NAME",
        help="An experiment's name or handle; the newest by default.",
        autocompletion=completed_names,
        show_default=False,
    ),
]
ChallengerName = Annotated[
    str | None,
    typer.Argument(
        metavar="NAME",
        help="An experiment, whose best trial is sealed if need be; by default the one whose "
        "model was sealed last.",
        autocompletion=completed_names,
        show_default=False,
    ),
]
