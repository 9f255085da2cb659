"""The rounds of a search: what was stopped goes on in another one, with new members. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from housectl.backends.katib.katib_objects import KatibExperiment
from housectl.backends.katib.naming import EXPERIMENT_LABEL, GENERATION_LABEL
from housectl.backends.katib.plan.sub_experiments import SubExperiment, family_of, sub_experiments
from housectl.backends.katib.state.cluster_objects import ExperimentObjects
from housectl.backends.katib.stop_marks import stop_reason
from housectl.experiment import Experiment


@dataclass(frozen=True, kw_only=True)
class Generation:
    """A round of a search as the cluster has it.

    Attributes:
        number: The first one is 1.
        going: The members that nobody has stopped, ended or not.
        stops: Why the others were stopped.
        missing: What the round should have besides: a command may be killed between two.
        rest: What another round would have; nothing when the budget is used up.
    """

    number: int
    active: Sequence[KatibExperiment]
    stop_reasons: frozenset[str]
    missing: Sequence[SubExperiment]
    remaining: Sequence[SubExperiment]


def newest_generation(experiment: Experiment, look: ExperimentObjects) -> Generation:
    """Return the round that counts."""
    number = max(map(_generation_of, look.sub_experiments))
    mine = [member for member in look.sub_experiments if _generation_of(member) == number]
    return Generation(
        number=number,
        active=[member for member in mine if not stop_reason(member)],
        stop_reasons=frozenset(filter(None, map(stop_reason, mine))),
        missing=_missing(experiment, look, round_number=number),
        remaining=_missing(experiment, look, round_number=number + 1),
    )


def _missing(
    experiment: Experiment, look: ExperimentObjects, *, round_number: int
) -> Sequence[SubExperiment]:
    """Return what a round should have and has not, within what earlier ones left of the budget."""
    earlier = {
        member.metadata.name: family_of(member)
        for member in look.sub_experiments
        if _generation_of(member) < round_number
    }
    owners = (trial.metadata.labels[EXPERIMENT_LABEL] for trial in look.trials if trial.has_ended)
    ended = Counter(earlier[owner] for owner in owners if owner in earlier)
    there = {member.metadata.name for member in look.sub_experiments}
    wanted = sub_experiments(experiment, ended=ended, generation=round_number)
    return [member for member in wanted if member.name not in there]


def _generation_of(member: KatibExperiment) -> int:
    return int(member.metadata.labels[GENERATION_LABEL])
