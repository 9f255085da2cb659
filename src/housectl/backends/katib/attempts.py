"""The attempts of a search: what was stopped goes on in Katib Experiments of its own. Pure."""

from collections import Counter
from collections.abc import Sequence

from housectl.backends.katib.layout import ATTEMPT_LABEL, EXPERIMENT_LABEL, FAMILY_LABEL
from housectl.backends.katib.look import ExperimentLook
from housectl.backends.katib.manifest import Member
from housectl.backends.katib.plan import members
from housectl.contract.recipe import Family
from housectl.diagnosis.objects import KatibExperiment
from housectl.experiment import Experiment


def family_of(member: KatibExperiment) -> Family:
    """Return the family that a member searches."""
    return Family(member.metadata.labels[FAMILY_LABEL])


def attempt_of(member: KatibExperiment) -> int:
    """Return the number of the attempt that a member is of; the first one is 1."""
    return int(member.metadata.labels[ATTEMPT_LABEL])


def newest_attempt(look: ExperimentLook) -> int:
    """Return the number of the attempt that counts."""
    return max(map(attempt_of, look.members))


def newest_members(look: ExperimentLook) -> Sequence[KatibExperiment]:
    """Return the members of the attempt that counts."""
    newest = newest_attempt(look)
    return [member for member in look.members if attempt_of(member) == newest]


def missing_members(
    experiment: Experiment, look: ExperimentLook, *, attempt: int
) -> Sequence[Member]:
    """Return what an attempt should have and has not: a command may be killed between two."""
    earlier = {
        member.metadata.name: family_of(member)
        for member in look.members
        if attempt_of(member) < attempt
    }
    owners = (trial.metadata.labels[EXPERIMENT_LABEL] for trial in look.trials if trial.has_ended)
    ended = Counter(earlier[owner] for owner in owners if owner in earlier)
    there = {member.metadata.name for member in look.members}
    wanted = members(experiment, ended=ended, attempt=attempt)
    return [member for member in wanted if member.name not in there]
