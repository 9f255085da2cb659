"""Plans for a cluster: manifests that `kubectl apply` takes as well."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from housectl.backends.base import Task, Work
from housectl.backends.katib.containers import Manifest
from housectl.backends.katib.manifest import Member, experiment_manifest, task_manifest
from housectl.backends.katib.records import PlanRecord
from housectl.contract.recipe import Family
from housectl.experiment import Experiment

# Katib denies longer ones.
LONGEST_NAME = 40

_SUFFIXES = {Family.RANDOM_FOREST: "rf", Family.XGBOOST: "xgb"}


@dataclass(frozen=True)
class KatibPlan:
    """What is sent to the cluster: a Job for a task, else an Experiment for each family."""

    record: PlanRecord

    @property
    def work(self) -> Work:
        """What is to be done."""
        return self.record.work

    @property
    def image(self) -> str:
        """The trainer's image."""
        return self.record.image

    def __str__(self) -> str:
        import yaml

        return yaml.safe_dump_all(self.manifests(), sort_keys=False, width=100)

    def manifests(self) -> list[Manifest]:
        """Return what is sent, in its order."""
        work = self.work
        if isinstance(work, Task):
            return [task_manifest(self.record, work)]
        return [experiment_manifest(self.record, work, member) for member in members(work)]


def members(
    experiment: Experiment, *, ended: Mapping[Family, int] = MappingProxyType({}), attempt: int = 1
) -> list[Member]:
    """Return the Katib Experiments of an experiment: one for each family, the budget divided.

    Args:
        experiment: The search.
        ended: How many trials each family has had in earlier attempts.
        attempt: How many times the search has been begun, this one included.
    """
    families = experiment.families
    left = {
        family: _share(experiment.budget.trials, families, family) - ended.get(family, 0)
        for family in families
    }
    return [
        Member(
            name=_name(experiment, family, attempt),
            family=family,
            budget=replace(experiment.budget, trials=left[family]),
            workers=_share(experiment.workers, families, family) or 1,
            attempt=attempt,
        )
        for family in families
        if left[family] > 0
    ]


def _name(experiment: Experiment, family: Family, attempt: int) -> str:
    alone = len(experiment.families) == 1
    name = experiment.name if alone else f"{experiment.name}-{_SUFFIXES[family]}"
    if attempt == 1:
        return name
    ending = f"-{attempt}"
    return f"{name[: LONGEST_NAME - len(ending)]}{ending}"


def _share(number: int, families: Sequence[Family], family: Family) -> int:
    """Return a family's share, as if the families took turns."""
    return len(range(families.index(family), number, len(families)))
