"""The rounds of a search: what was stopped goes on in another one, with new members. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from housectl.backends.katib.katib_objects import KatibExperiment
from housectl.backends.katib.naming import EXPERIMENT_LABEL, ROUND_LABEL
from housectl.backends.katib.plan.sub_experiments import Member, family_of, members, stop_reason
from housectl.backends.katib.state.cluster_objects import ExperimentLook
from housectl.experiment import Experiment


@dataclass(frozen=True, kw_only=True)
class Round:
    """A round of a search as the cluster has it.

    Attributes:
        number: The first one is 1.
        going: The members that nobody has stopped, ended or not.
        stops: Why the others were stopped.
        missing: What the round should have besides: a command may be killed between two.
        rest: What another round would have; nothing when the budget is used up.
    """

    number: int
    going: Sequence[KatibExperiment]
    stops: frozenset[str]
    missing: Sequence[Member]
    rest: Sequence[Member]


def newest_round(experiment: Experiment, look: ExperimentLook) -> Round:
    """Return the round that counts."""
    number = max(map(_round_of, look.members))
    mine = [member for member in look.members if _round_of(member) == number]
    return Round(
        number=number,
        going=[member for member in mine if not stop_reason(member)],
        stops=frozenset(filter(None, map(stop_reason, mine))),
        missing=_missing(experiment, look, round_number=number),
        rest=_missing(experiment, look, round_number=number + 1),
    )


def _missing(
    experiment: Experiment, look: ExperimentLook, *, round_number: int
) -> Sequence[Member]:
    """Return what a round should have and has not, within what earlier ones left of the budget."""
    earlier = {
        member.metadata.name: family_of(member)
        for member in look.members
        if _round_of(member) < round_number
    }
    owners = (trial.metadata.labels[EXPERIMENT_LABEL] for trial in look.trials if trial.has_ended)
    ended = Counter(earlier[owner] for owner in owners if owner in earlier)
    there = {member.metadata.name for member in look.members}
    wanted = members(experiment, ended=ended, round_number=round_number)
    return [member for member in wanted if member.name not in there]


def _round_of(member: KatibExperiment) -> int:
    return int(member.metadata.labels[ROUND_LABEL])
