"""Experiments that ended well give no cause, at no moment of their lives."""

import pytest

from housectl.backends.katib.diagnosis.experiment import experiment_cause
from housectl.backends.katib.diagnosis.trial import trial_cause
from housectl.kube.objects.base import true_condition
from tests.backends.katib.diagnosis.recorded_cases import at, katib_case, moments


@pytest.mark.parametrize("name", ["random4", "bayes12", "steps", "goal", "suggestion-crashloop"])
def test_no_cause_at_any_moment(name: str) -> None:
    observed = katib_case(name)
    for now in [*moments(observed), observed.now]:
        seen = at(observed, now)
        assert experiment_cause(seen) is None, now
        for trial in seen.trials:
            assert trial_cause(seen, trial) is None, now


def test_the_moments_show_an_experiment_grow() -> None:
    observed = katib_case("random4")
    seen = [at(observed, now) for now in moments(observed)]
    assert {len(each.trials) for each in seen} == {0, 2, 3, 4}
    running = [bool(true_condition(each.experiment.status.conditions, "Running")) for each in seen]
    assert (running[0], running[-1]) == (True, False)
    phases = {pod.status.phase for each in seen for pod in each.pods}
    assert phases == {"Pending", "Running", "Succeeded"}


def test_a_stuck_experiment_has_a_cause_at_its_last_moment() -> None:
    observed = katib_case("nocommand")
    assert experiment_cause(at(observed, observed.now)) is not None
