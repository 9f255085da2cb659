"""Katib's own configuration, the ConfigMap katib-config: how it runs algorithms and collectors."""

import msgspec

from housectl.backends.katib.checks.common import warn_if_forbidden
from housectl.backends.katib.diagnosis.cause import KubectlTarget
from housectl.backends.katib.katib_names import CONFIG_MAP, KATIB_NAMESPACE, configuration
from housectl.errors import CheckWarning, NotFoundError
from housectl.kube.client import Kube
from housectl.kube.kinds import CONFIG_MAPS
from housectl.kube.objects.base import KubeObject, parse

_KEY = "katib-config.yaml"


class Limits(KubeObject):
    """What a suggestion's pod may use; Katib's default where nothing is said."""

    memory: str | int = "100Mi"


class Resources(KubeObject):
    """Of a suggestion's pod."""

    limits: Limits = Limits()


class SuggestionConfig(KubeObject):
    """How an algorithm is run."""

    algorithm_name: str
    resources: Resources = Resources()


class CollectorConfig(KubeObject):
    """What is put beside a trainer."""

    kind: str
    image: str


class RuntimeConfig(KubeObject):
    """What Katib runs for a search."""

    suggestions: tuple[SuggestionConfig, ...] = ()
    metrics_collectors: tuple[CollectorConfig, ...] = ()


class KatibConfig(KubeObject):
    """The whole of it, as far as it is read here."""

    runtime: RuntimeConfig = RuntimeConfig()

    @property
    def memory_limits(self) -> dict[str, str]:
        """The memory limit of each algorithm; there is at least one."""
        return {
            each.algorithm_name: str(each.resources.limits.memory)
            for each in self.runtime.suggestions
        }

    @property
    def collectors(self) -> dict[str, str]:
        """The image of each kind of metrics collector."""
        return {each.kind: each.image for each in self.runtime.metrics_collectors}


class _ConfigMap(KubeObject):
    data: dict[str, str] = msgspec.field(default_factory=dict)


def read_katib_config(kube: Kube, what: str) -> KatibConfig:
    """Return Katib's configuration.

    Raises:
        Concern: It cannot be read, so that `what` cannot be checked.
    """
    try:
        with warn_if_forbidden(what):
            found = kube.get(CONFIG_MAPS, CONFIG_MAP, _ConfigMap, namespace=KATIB_NAMESPACE)
        return parse_katib_config(found.data.get(_KEY, ""))
    except (NotFoundError, ValueError) as error:
        raise CheckWarning(
            f"{what} cannot be checked: {error}",
            hint=f"{configuration(_place(kube), 'get')} -o yaml",
        ) from error


def parse_katib_config(text: str) -> KatibConfig:
    """Return what a katib-config.yaml says.

    Raises:
        ValueError: The text is no such configuration.
    """
    import yaml

    try:
        read = parse(KatibConfig, yaml.safe_load(text))
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise ValueError(str(error)) from error
    if not read.runtime.suggestions:
        raise ValueError(f"{CONFIG_MAP} lists no algorithm.")
    return read


def edit_config_command(kube: Kube) -> str:
    """Return the command that edits the configuration."""
    return configuration(_place(kube))


def _place(kube: Kube) -> KubectlTarget:
    return KubectlTarget(namespace=kube.namespace, context=kube.server.context)
