"""Commands about the model registry that mirrors the history."""

from typing import TYPE_CHECKING

from housectl.cli.decorators import pass_project
from housectl.cli.results import Table
from housectl.cli.settings import REGISTRY_SETTINGS

if TYPE_CHECKING:
    from housectl import Project


@pass_project(*REGISTRY_SETTINGS)
def status(project: "Project", /) -> Table:
    """Compare the model registry with the history, line by line.

    Exits with status 6 if they differ.

    Example: housectl registry status
    """
    comparison = project.registry_status()
    return Table(
        key="objects",
        rows=[
            {
                "kind": line.kind,
                "name": line.name,
                "state": line.state,
                "differences": line.differences,
            }
            for line in comparison.lines
        ],
        empty="Neither the history nor the registry has a champion.",
        heading={
            "url": comparison.url,
            "model": comparison.name,
            "champion": comparison.champion,
            "registry_champion": comparison.registry_champion,
            "in_sync": comparison.in_sync,
        },
        status=comparison.status,
        notes=[] if comparison.in_sync else ["Next: housectl registry sync"],
    )


@pass_project(*REGISTRY_SETTINGS)
def sync(project: "Project", /) -> Table:
    """Create in the model registry what it lacks of the history.

    It is idempotent. Objects and properties of other owners are kept.

    Example: housectl registry sync
    """
    result = project.sync_registry()
    return Table(
        key="changes",
        rows=[
            {
                "action": change.action,
                "kind": change.kind,
                "name": change.name,
                "differences": change.differences,
            }
            for change in result.changes
        ],
        empty="The registry has everything already.",
        heading={"url": result.url, "model": result.name, "champion": result.champion},
    )
