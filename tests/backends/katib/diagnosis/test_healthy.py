"""Successful experiments have no cause at any time."""

import pytest

from housectl.backends.katib.diagnosis.experiment import experiment_cause
from housectl.backends.katib.diagnosis.trial import trial_cause
from housectl.kube.objects.base import true_condition
from tests.backends.katib.diagnosis.recorded_cases import at_time, change_times, katib_case


@pytest.mark.parametrize("name", ["random4", "bayes12", "steps", "goal", "suggestion-crashloop"])
def test_successful_experiment_never_has_cause(name: str) -> None:
    context = katib_case(name)
    for now in [*change_times(context), context.now]:
        past = at_time(context, now)
        assert experiment_cause(past) is None, now
        for trial in past.trials:
            assert trial_cause(past, trial) is None, now


def test_change_times_cover_whole_experiment() -> None:
    context = katib_case("random4")
    snapshots = [at_time(context, now) for now in change_times(context)]
    assert {len(each.trials) for each in snapshots} == {0, 2, 3, 4}
    running = [
        bool(true_condition(each.experiment.status.conditions, "Running")) for each in snapshots
    ]
    assert (running[0], running[-1]) == (True, False)
    phases = {pod.status.phase for each in snapshots for pod in each.pods}
    assert phases == {"Pending", "Running", "Succeeded"}


def test_stuck_experiment_has_cause_at_end() -> None:
    context = katib_case("nocommand")
    assert experiment_cause(at_time(context, context.now)) is not None
