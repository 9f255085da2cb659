"""Commands about the cluster that runs experiments."""

from typing import TYPE_CHECKING, Annotated

import typer

from housectl import Overlay
from housectl.cli.decorators import pass_project
from housectl.cli.results import Document, Result, Table

if TYPE_CHECKING:
    from housectl import Project


@pass_project("context", "namespace", "pvc")
def init(
    project: "Project",
    /,
    *,
    overlay: Annotated[
        Overlay, typer.Option("--overlay", help="The kind of cluster.")
    ] = Overlay.GENERIC,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the manifests without applying them.")
    ] = False,
) -> Result:
    """Create namespace, PVC, service accounts and permissions on the cluster.

    It is idempotent. Katib itself can be installed before or afterwards.

    Example: housectl cluster init --overlay minikube
    """
    setup = project.cluster_setup(overlay)
    if dry_run:
        return Document(
            text=setup.manifests(), fields={"overlay": overlay, "namespace": setup.namespace}
        )
    return Table(
        key="objects",
        rows=[{"object": applied.object, "result": applied.result} for applied in setup.apply()],
        empty="There are no manifests.",
        notes=["Next: housectl doctor"],
    )
