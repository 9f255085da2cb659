"""The algorithm that chooses assignments, as Katib's own configuration has it."""

from difflib import get_close_matches

import msgspec

from housectl.backends.katib.manifest import SKOPT
from housectl.backends.katib.readiness.looking import if_allowed
from housectl.backends.kube.client import Kube
from housectl.backends.kube.kinds import CONFIG_MAPS
from housectl.diagnosis.installation import KATIB_NAMESPACE
from housectl.diagnosis.objects import View, view
from housectl.errors import AbsentError, ClusterError, Concern

_CONFIG, _KEY = "katib-config", "katib-config.yaml"
_NEEDED = {SKOPT: "512Mi"}


class _Limits(View):
    """What a suggestion's pod may use; Katib's default where nothing is said."""

    memory: str | int = "100Mi"


class _Resources(View):
    limits: _Limits = _Limits()


class _Suggestion(View):
    algorithm_name: str
    resources: _Resources = _Resources()


class _Runtime(View):
    suggestions: tuple[_Suggestion, ...] = ()


class _KatibConfig(View):
    runtime: _Runtime = _Runtime()


class _ConfigMap(View):
    data: dict[str, str] = msgspec.field(default_factory=dict)


def memory_limits(config: str) -> dict[str, str]:
    """Return the memory limit of each algorithm that a katib-config.yaml lists.

    Raises:
        ValueError: The text is no such configuration.
    """
    import yaml

    try:
        read = view(_KatibConfig, yaml.safe_load(config))
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise ValueError(str(error)) from error
    return {
        each.algorithm_name: str(each.resources.limits.memory) for each in read.runtime.suggestions
    }


def require_algorithm(kube: Kube, name: str) -> str:
    """Ask for an algorithm, and return its memory limit.

    Raises:
        ClusterError: Katib does not have it.
        Concern: Its configuration cannot be read.
    """
    limits = _configured(kube)
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
    if is_tight(name, limit):
        raise Concern(
            f"The algorithm {name} may use {limit} of memory. It may be killed for that after some "
            "trials, and the search would then stand still.",
            cure=f"{_kubectl(kube)} edit configmap {_CONFIG}   # under `algorithmName: {name}`: "
            f"resources: {{limits: {{memory: {_NEEDED[name]}}}}}",
        )
    return f"{name}, with {limit} of memory"


def is_tight(name: str, limit: str) -> bool:
    """Return whether an algorithm is known to need more memory than its limit."""
    from kubernetes.utils.quantity import parse_quantity

    return name in _NEEDED and parse_quantity(limit) < parse_quantity(_NEEDED[name])


def _configured(kube: Kube) -> dict[str, str]:
    what = "The algorithm"
    try:
        with if_allowed(what):
            found = kube.get(CONFIG_MAPS, _CONFIG, _ConfigMap, namespace=KATIB_NAMESPACE)
        limits = memory_limits(found.data.get(_KEY, ""))
    except (AbsentError, ValueError) as error:
        raise _unread(kube, f"{what} cannot be checked: {error}") from error
    if not limits:
        raise _unread(kube, f"{what} cannot be checked: {_CONFIG} lists none.")
    return limits


def _unread(kube: Kube, message: str) -> Concern:
    return Concern(message, cure=f"{_kubectl(kube)} get configmap {_CONFIG} -o yaml")


def _kubectl(kube: Kube) -> str:
    return f"{kube.server.kubectl} -n {KATIB_NAMESPACE}"
