"""Checks of the ConfigMap katib-config: the settings of Katib's algorithms and collectors."""

from difflib import get_close_matches

import msgspec

from housectl.backends.doctor_check import CheckWarning
from housectl.backends.katib.checks.common import init_command, kubectl_target, warn_if_forbidden
from housectl.backends.katib.katib_installation import (
    CONFIG_KEY,
    CONFIG_MAP,
    KATIB_NAMESPACE,
    config_command,
)
from housectl.backends.katib.plan.algorithm import SKOPT
from housectl.backends.katib.registration.entry import MEMORY_LIMIT
from housectl.errors import ClusterError, NotFoundError
from housectl.kube.client import Kube
from housectl.kube.kinds import CONFIG_MAPS
from housectl.kube.objects.base import KubeObject, parse
from housectl.kube.objects.config_maps import ConfigMap
from housectl.quantities import parse_quantity
from housectl.search.katib_texts import ALGORITHM

_REQUIRED_MEMORY = {SKOPT: "512Mi", ALGORITHM: MEMORY_LIMIT}


class SuggestionLimits(KubeObject):
    """Limits of a suggestion's pod, with Katib's default."""

    memory: str | int = "100Mi"


class SuggestionResources(KubeObject):
    """Resources of a suggestion's pod."""

    limits: SuggestionLimits = SuggestionLimits()


class SuggestionConfig(KubeObject):
    """Settings of an algorithm."""

    algorithm_name: str
    image: str = ""
    resources: SuggestionResources = SuggestionResources()


class CollectorConfig(KubeObject):
    """Settings of a metrics collector."""

    kind: str
    image: str


class RuntimeConfig(KubeObject):
    """Settings of the pods that Katib starts for a search."""

    suggestions: tuple[SuggestionConfig, ...] = ()
    metrics_collectors: tuple[CollectorConfig, ...] = ()


class KatibConfig(KubeObject):
    """Katib's configuration; it has only the settings that housectl reads."""

    runtime: RuntimeConfig = RuntimeConfig()

    @property
    def memory_limits(self) -> dict[str, str]:
        """Memory limits by algorithm; at least one."""
        suggestions = self.runtime.suggestions
        return {item.algorithm_name: str(item.resources.limits.memory) for item in suggestions}

    @property
    def algorithm_images(self) -> dict[str, str]:
        """Images of the algorithms' services by algorithm."""
        return {item.algorithm_name: item.image for item in self.runtime.suggestions}

    @property
    def collectors(self) -> dict[str, str]:
        """Images of the metrics collectors by kind."""
        return {item.kind: item.image for item in self.runtime.metrics_collectors}


def read_katib_config(kube: Kube, subject: str) -> KatibConfig:
    """Return Katib's configuration.

    Raises:
        CheckWarning: It cannot be read, so the subject cannot be checked.
    """
    try:
        with warn_if_forbidden(subject):
            config_map = kube.get(CONFIG_MAPS, CONFIG_MAP, ConfigMap, namespace=KATIB_NAMESPACE)
        return parse_katib_config(config_map.data.get(CONFIG_KEY, ""))
    except (NotFoundError, ValueError) as error:
        raise CheckWarning(
            f"{subject} cannot be checked: {error}",
            hint=f"{config_command(kubectl_target(kube), 'get')} -o yaml",
        ) from error


def parse_katib_config(text: str) -> KatibConfig:
    """Return the configuration in a katib-config.yaml.

    Raises:
        ValueError: The text is not a valid configuration.
    """
    import yaml

    try:
        config = parse(KatibConfig, yaml.safe_load(text))
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise ValueError(str(error)) from error
    if not config.runtime.suggestions:
        raise ValueError(f"{CONFIG_MAP} lists no algorithm.")
    return config


def require_algorithm(kube: Kube, name: str) -> str:
    """Return the memory limit of an algorithm.

    Raises:
        ClusterError: Katib does not have the algorithm.
        CheckWarning: Katib's configuration cannot be read.
    """
    limits = read_katib_config(kube, "The algorithm").memory_limits
    if name not in limits and name == ALGORITHM:
        raise ClusterError(
            f"The algorithm {ALGORITHM} is not registered in Katib's configuration.",
            hint=f"{init_command(kube)}   # registers it; or choose one of Katib's own: "
            f"housectl tune --algorithm {SKOPT}",
        )
    if name not in limits:
        similar = get_close_matches(name, limits, n=1) or [*limits]
        raise ClusterError(
            f"Katib has no algorithm {name} here, only {', '.join(limits)}.",
            hint=f"housectl tune --algorithm {similar[0]}",
        )
    return limits[name]


def check_algorithm(kube: Kube, name: str) -> str:
    """Check that Katib has the algorithm and gives it enough memory.

    Raises:
        ClusterError: Katib does not have the algorithm.
        CheckWarning: It has too little memory, or Katib's configuration cannot be read.
    """
    limit = require_algorithm(kube, name)
    if has_too_little_memory(name, limit):
        raise CheckWarning(
            f"The algorithm {name} has a memory limit of only {limit}: it may run out of memory "
            "after some trials, and the search would stall.",
            hint=f"{edit_config_command(kube)}   # under `algorithmName: {name}`: "
            f"resources: {{limits: {{memory: {_REQUIRED_MEMORY[name]}}}}}",
        )
    return f"{name}, with {limit} of memory"


def has_too_little_memory(name: str, limit: str) -> bool:
    """Return True if an algorithm is known to need more memory than its limit."""
    required = _REQUIRED_MEMORY.get(name)
    return required is not None and parse_quantity(limit) < parse_quantity(required)


def edit_config_command(kube: Kube) -> str:
    """Return the command that edits Katib's configuration."""
    return config_command(kubectl_target(kube))
