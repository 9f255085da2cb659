"""Amounts of what pods ask for and nodes have. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from housectl.quantities import format_mebibytes, parse_quantity

_NOTHING = Decimal(0)


@dataclass(frozen=True, kw_only=True)
class PodResources:
    """Cores, bytes of memory, and a number of pods."""

    cpu: Decimal = _NOTHING
    memory: Decimal = _NOTHING
    pods: Decimal = _NOTHING

    @classmethod
    def of(cls, quantities: Mapping[str, str], *, pods: int) -> "PodResources":
        """Return the amount that Kubernetes writes so; what is not named is nothing."""
        cpu, memory = (parse_quantity(quantities.get(name, "0")) for name in ("cpu", "memory"))
        return cls(cpu=cpu, memory=memory, pods=Decimal(pods))

    def __add__(self, other: "PodResources") -> "PodResources":
        return PodResources(
            cpu=self.cpu + other.cpu,
            memory=self.memory + other.memory,
            pods=self.pods + other.pods,
        )

    def __sub__(self, other: "PodResources") -> "PodResources":
        return PodResources(
            cpu=self.cpu - other.cpu,
            memory=self.memory - other.memory,
            pods=self.pods - other.pods,
        )

    def __floordiv__(self, other: "PodResources") -> int:
        """Return how many times another one, which is not nothing, goes into this one."""
        pairs = (
            (self.cpu, other.cpu),
            (self.memory, other.memory),
            (self.pods, other.pods),
        )
        return max(0, min(int(mine // its) for mine, its in pairs if its))

    def __str__(self) -> str:
        return f"{self.cpu:g} CPU and {format_mebibytes(self.memory)}"
