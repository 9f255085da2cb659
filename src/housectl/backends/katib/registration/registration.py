"""Registration of the algorithm `housectl` in the ConfigMap katib-config."""

from dataclasses import dataclass
from difflib import unified_diff
from functools import cached_property

from housectl.backends.katib.checks.common import kubectl_target
from housectl.backends.katib.katib_installation import (
    CONFIG_KEY,
    CONFIG_MAP,
    KATIB_NAMESPACE,
    config_command,
)
from housectl.backends.katib.registration.config_text import (
    ConfigTextError,
    image_of_algorithm,
    with_algorithm,
)
from housectl.backends.katib.registration.entry import algorithm_entry
from housectl.errors import ClusterError, ConflictError, ForbiddenError
from housectl.kube.client import Kube
from housectl.kube.kinds import CONFIG_MAPS
from housectl.kube.objects.config_maps import ConfigMap
from housectl.pushed_images import ImageKind, local_image
from housectl.search.katib_texts import ALGORITHM

OBJECT = f"{CONFIG_MAPS.plural}/{CONFIG_MAP}"
_ATTEMPTS = 5


@dataclass(frozen=True, kw_only=True)
class Registration:
    """The entry of the algorithm `housectl`, for one cluster.

    Attributes:
        context: Context of the kubeconfig; None for the current one.
        image: Image of the service; None to keep the registered one.
        command: Command that an administrator repeats if this user lacks the permission.
    """

    context: str | None
    image: str | None
    command: str

    def difference(self) -> str:
        """Return the change of katib-config.yaml as a unified diff; empty if there is none.

        Raises:
            NotFoundError: Katib is not installed.
            ClusterError: The configuration cannot be read or changed.
        """
        text = self._read().data.get(CONFIG_KEY, "")
        names = (f"{CONFIG_KEY} on the cluster", f"{CONFIG_KEY} after the registration")
        lines = unified_diff(
            text.splitlines(), self._changed(text).splitlines(), *names, lineterm=""
        )
        return "\n".join(lines)

    def apply(self) -> bool:
        """Register the algorithm; return True if this changed the configuration. Idempotent.

        Raises:
            NotFoundError: Katib is not installed.
            ForbiddenError: The user may not change Katib's configuration.
            ClusterError: The configuration cannot be read or changed.
        """
        for _ in range(_ATTEMPTS - 1):
            try:
                return self._apply_once()
            except ConflictError:
                continue
        return self._apply_once()

    def _apply_once(self) -> bool:
        """Register the algorithm, unless another client changes the configuration meanwhile."""
        config_map = self._read()
        text = config_map.data.get(CONFIG_KEY, "")
        changed = self._changed(text)
        if changed == text:
            return False
        change = {
            "metadata": {"resourceVersion": config_map.metadata.resource_version},
            "data": {CONFIG_KEY: changed},
        }
        try:
            self._kube.patch(CONFIG_MAPS, CONFIG_MAP, change)
        except ForbiddenError as error:
            raise self._forbidden(error) from error
        return True

    def _read(self) -> ConfigMap:
        try:
            return self._kube.get(CONFIG_MAPS, CONFIG_MAP, ConfigMap)
        except ForbiddenError as error:
            raise self._forbidden(error) from error

    def _changed(self, text: str) -> str:
        try:
            registered = image_of_algorithm(text, ALGORITHM)
            image = self.image or registered or local_image(ImageKind.SUGGESTION)
            return with_algorithm(text, algorithm_entry(image))
        except ConfigTextError as error:
            raise ClusterError(
                f"The algorithm {ALGORITHM} cannot be registered in the ConfigMap {CONFIG_MAP}: "
                f"{error}.",
                hint=f"{config_command(kubectl_target(self._kube))}   # see docs/katib.md for the "
                "entry, or use one of Katib's own: housectl tune --algorithm bayesianoptimization",
            ) from error

    def _forbidden(self, error: ForbiddenError) -> ForbiddenError:
        return ForbiddenError(
            f"The algorithm {ALGORITHM} cannot be registered in Katib's configuration: "
            f"{error.message}",
            hint=f"{self.command}   # run by an administrator, registers it",
        )

    @cached_property
    def _kube(self) -> Kube:
        return Kube(self.context, KATIB_NAMESPACE)
