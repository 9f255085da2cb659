"""Digests of the images that ran, and the choice of recorded images."""

from collections.abc import Iterable
from shlex import quote

from housectl.backends.katib.plan.pod_spec import CONTAINER
from housectl.errors import UsageError
from housectl.image_references import digest_in, repository_of
from housectl.kube.objects.pods import Pod


def pulled_digest(image: str, pods: Iterable[Pod]) -> str | None:
    """Return the digest of the trainer's image that pods ran.

    Args:
        image: Reference of the image in the plan.
        pods: Pods of a task.

    Returns:
        None if no registry is known to have the image: nodes also run images that were loaded.
    """
    image_ids = (
        status.image_id
        for pod in pods
        for status in pod.status.container_statuses
        if status.name == CONTAINER
    )
    pulled = (digest_in(image_id) for image_id in image_ids if _is_from_registry(image_id, image))
    return digest_in(image) or next(pulled, None)


def trusted_image(recorded: str | None, *, own_image: str) -> str:
    """Return the image to run for a bundle: the recorded one, if the project uses its repository.

    Write access to a store is no right to run any image on the cluster.

    Args:
        recorded: Reference in the bundle; None without containers.
        own_image: Reference of the project's image.

    Raises:
        UsageError: The recorded image is from another repository.
    """
    if recorded is None:
        return own_image
    if repository_of(recorded) != repository_of(own_image):
        raise UsageError(
            f"The recorded image {recorded} is not from the repository of this project's image "
            f"{own_image}.",
            hint=f"housectl reproduce --image {quote(recorded)}   # if you trust this image",
        )
    return recorded


def _is_from_registry(image_id: str, image: str) -> bool:
    """Return True if a container runtime pulled an image from the registry of its reference."""
    repository = repository_of(image)
    pulled_from = repository_of(image_id)
    return "/" in repository and f"/{pulled_from}".endswith(f"/{repository}")
