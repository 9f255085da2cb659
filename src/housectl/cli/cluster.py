"""Commands about the cluster that experiments run on."""

from typing import TYPE_CHECKING, Annotated

import typer

from housectl.cli.decorators import pass_pipeline
from housectl.cli.results import Document, Result, Table
from housectl.cluster_setup import ClusterSetup, Overlay, apply, render

if TYPE_CHECKING:
    from housectl.pipeline import Pipeline


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    group = typer.Typer(no_args_is_help=True, help="Prepare a cluster with Katib.")
    group.command()(init)
    app.add_typer(group, name="cluster")


@pass_pipeline("context", "namespace", "pvc")
def init(
    pipeline: "Pipeline",
    /,
    *,
    overlay: Annotated[
        Overlay, typer.Option("--overlay", help="The kind of cluster.")
    ] = Overlay.GENERIC,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the manifests, and send nothing.")
    ] = False,
) -> Result:
    """Put namespace, claim, accounts and rights on the cluster.

    It can be repeated at any time. Katib itself has to be there already, or to come afterwards.

    Example: housectl cluster init --overlay minikube
    """
    katib = pipeline.project.katib
    manifests = render(ClusterSetup(overlay=overlay, namespace=katib.namespace, pvc=katib.pvc))
    if dry_run:
        return Document(text=manifests, fields={"overlay": overlay, "namespace": katib.namespace})
    applied = apply(manifests, context=katib.context, namespace=katib.namespace)
    return Table(
        key="objects",
        rows=[{"object": each.object, "result": each.outcome} for each in applied],
        empty="Nothing was to be done.",
        notes=["Next: housectl doctor"],
    )
