"""Commands about the cluster that runs experiments."""

from typing import TYPE_CHECKING, Annotated

import typer

from housectl import ApplyResult, Overlay
from housectl.cli.decorators import pass_project
from housectl.cli.results import Document, Result, Table
from housectl.errors import ClusterError

if TYPE_CHECKING:
    from housectl import ClusterSetup, Project


@pass_project("context", "namespace", "pvc")
def init(
    project: "Project",
    /,
    *,
    overlay: Annotated[
        Overlay, typer.Option("--overlay", help="The kind of cluster.")
    ] = Overlay.GENERIC,
    suggestion_image: Annotated[
        str | None,
        typer.Option(
            "--suggestion-image",
            metavar="IMAGE",
            help="Image of the suggestion service. Default: the pushed or the registered one.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the changes without applying them.")
    ] = False,
) -> Result:
    """Create namespace, PVC, service accounts and permissions, and register the algorithm.

    It is idempotent. Katib has to be installed before its algorithm can be registered.

    Example: housectl cluster init --overlay minikube
    """
    setup = project.cluster_setup(overlay, suggestion_image=suggestion_image)
    if dry_run:
        return _preview(setup)
    applied = setup.apply()
    skipped = any(each.result is ApplyResult.SKIPPED for each in applied)
    return Table(
        key="objects",
        rows=[{"object": each.object, "result": each.result} for each in applied],
        empty="There are no manifests.",
        notes=[
            "Katib is not installed: after its installation, repeat this command, which then "
            "registers the algorithm housectl."
            if skipped
            else "Next: housectl doctor"
        ],
    )


def _preview(setup: "ClusterSetup") -> Document:
    """Return the manifests, with the change of Katib's configuration as comments."""
    manifests, notes = setup.manifests(), []
    try:
        difference = setup.registration_difference()
    except ClusterError as error:
        difference = ""
        notes = [f"The change of Katib's configuration is unknown: {error.message}"]
    comments = "".join(f"# {line}\n" for line in difference.splitlines())
    return Document(
        text=f"{manifests}{comments}",
        fields={
            "overlay": setup.overlay,
            "namespace": setup.namespace,
            "katib_config_difference": difference,
        },
        notes=notes,
    )
