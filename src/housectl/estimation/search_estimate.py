"""The estimate of a search: the time of a trial of each family, and of all trials. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from housectl.contract.families import Family
from housectl.quantities import format_seconds


@dataclass(frozen=True, kw_only=True)
class FamilyEstimate:
    """The estimate of one family's trials.

    Attributes:
        trials: Number of the family's trials.
        trial_seconds: Time of a typical trial, which has the middle of each range.
        largest_model: Largest size of its models, in bytes.
    """

    trials: int
    trial_seconds: float
    largest_model: float


@dataclass(frozen=True, kw_only=True)
class SearchEstimate:
    """The estimate of a search on this machine.

    Attributes:
        families: The estimate of each family.
        parallel: Number of trials that run at the same time.
    """

    families: Mapping[Family, FamilyEstimate]
    parallel: int

    @property
    def trials(self) -> int:
        """Number of trials."""
        return sum(each.trials for each in self.families.values())

    @property
    def seconds(self) -> float:
        """Time of all trials, if none is pruned."""
        work = sum(each.trials * each.trial_seconds for each in self.families.values())
        return work / self.parallel

    def __str__(self) -> str:
        """Return two clauses: the time of a trial of each family, and that of the search."""
        trials = ", ".join(
            f"{family} {format_seconds(each.trial_seconds)}"
            for family, each in self.families.items()
        )
        return (
            f"One trial takes about: {trials}, on one core of this machine and in the middle of "
            f"each range. The search of {self.trials} trials, {self.parallel} at a time, "
            f"takes up to about {format_seconds(self.seconds)}."
        )
