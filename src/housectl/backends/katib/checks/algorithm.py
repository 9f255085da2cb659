"""The algorithm that chooses assignments, as Katib's own configuration has it."""

from difflib import get_close_matches

from housectl.backends.katib.checks.katib_config import edit_config_command, read_katib_config
from housectl.backends.katib.plan.manifest import SKOPT
from housectl.errors import CheckWarning, ClusterError
from housectl.kube.client import Kube
from housectl.quantities import parse_quantity

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
    if is_tight(name, limit):
        raise CheckWarning(
            f"The algorithm {name} may use {limit} of memory. It may be killed for that after some "
            "trials, and the search would then stand still.",
            hint=f"{edit_config_command(kube)}   # under `algorithmName: {name}`: "
            f"resources: {{limits: {{memory: {_NEEDED[name]}}}}}",
        )
    return f"{name}, with {limit} of memory"


def is_tight(name: str, limit: str) -> bool:
    """Return whether an algorithm is known to need more memory than its limit."""
    return name in _NEEDED and parse_quantity(limit) < parse_quantity(_NEEDED[name])
