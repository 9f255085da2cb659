"""Commands about the API keys of the server: add, list and remove."""

from typing import TYPE_CHECKING, Annotated

import typer

from housectl.cli.decorators import pass_project
from housectl.cli.results import Fields, Table

if TYPE_CHECKING:
    from housectl import Project

_NAME = Annotated[str, typer.Argument(metavar="NAME", help="Name of the client.")]


@pass_project("api-keys-file")
def add(project: "Project", /, *, name: _NAME) -> Fields:
    """Add an API key, and print it once.

    The file gets only its sha256. A running server accepts the key within two seconds.

    Example: housectl keys add web-shop
    """
    key = project.add_api_key(name)
    return Fields(
        fields={"name": name, "key": key},
        notes=["The key is stored nowhere, so keep it. Send it in the header `X-API-Key: KEY`."],
    )


@pass_project("api-keys-file")
def list_keys(project: "Project", /) -> Table:
    """List the API keys by name, with the start of their sha256.

    Example: housectl keys list
    """
    return Table(
        key="keys",
        rows=[{"name": key.name, "sha256": key.digest[:12]} for key in project.api_keys()],
        empty="The file has no keys, so the server refuses all predictions.",
    )


@pass_project("api-keys-file")
def remove(project: "Project", /, *, name: _NAME) -> Fields:
    """Remove an API key. A running server refuses it within two seconds.

    Example: housectl keys remove web-shop
    """
    project.remove_api_key(name)
    return Fields(fields={"removed": name})
