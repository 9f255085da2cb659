"""Katib's own configuration, the ConfigMap katib-config: how it runs algorithms and collectors."""

from difflib import get_close_matches

import msgspec

from housectl.backends.katib.checks.common import warn_if_forbidden
from housectl.backends.katib.katib_names import CONFIG_MAP, KATIB_NAMESPACE, configuration
from housectl.backends.katib.plan.manifest import SKOPT
from housectl.errors import CheckWarning, ClusterError, NotFoundError
from housectl.kube.client import Kube
from housectl.kube.kinds import CONFIG_MAPS
from housectl.kube.kubectl import KubectlTarget
from housectl.kube.objects.base import KubeObject, parse
from housectl.quantities import parse_quantity

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


def read_katib_config(kube: Kube, subject: str) -> KatibConfig:
    """Return Katib's configuration.

    Raises:
        Concern: It cannot be read, so that `what` cannot be checked.
    """
    try:
        with warn_if_forbidden(subject):
            found = kube.get(CONFIG_MAPS, CONFIG_MAP, _ConfigMap, namespace=KATIB_NAMESPACE)
        return parse_katib_config(found.data.get(_KEY, ""))
    except (NotFoundError, ValueError) as error:
        raise CheckWarning(
            f"{subject} cannot be checked: {error}",
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


_NEEDED = {SKOPT: "512Mi"}


def require_algorithm(kube: Kube, name: str) -> str:
    """Ask for an algorithm, and return its memory limit.

    Raises:
        ClusterError: Katib does not have it.
        Concern: Its configuration cannot be read.
    """
    limits = read_katib_config(kube, "The algorithm").memory_limits
    if name not in limits:
        similar = get_close_matches(name, limits, n=1) or [*limits]
        raise ClusterError(
            f"Katib has no algorithm {name} here, only {', '.join(limits)}.",
            hint=f"housectl tune --algorithm {similar[0]}",
        )
    return limits[name]


def check_algorithm(kube: Kube, name: str) -> str:
    """Whether Katib has the algorithm, and gives it memory enough.

    Raises:
        ClusterError: Katib does not have it.
        Concern: It has too little memory, or the configuration cannot be read.
    """
    limit = require_algorithm(kube, name)
    if has_too_little_memory(name, limit):
        raise CheckWarning(
            f"The algorithm {name} may use {limit} of memory. It may be killed for that after some "
            "trials, and the search would then stand still.",
            hint=f"{edit_config_command(kube)}   # under `algorithmName: {name}`: "
            f"resources: {{limits: {{memory: {_NEEDED[name]}}}}}",
        )
    return f"{name}, with {limit} of memory"


def has_too_little_memory(name: str, limit: str) -> bool:
    """Return whether an algorithm is known to need more memory than its limit."""
    return name in _NEEDED and parse_quantity(limit) < parse_quantity(_NEEDED[name])
