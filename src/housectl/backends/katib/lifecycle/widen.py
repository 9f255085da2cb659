"""Raising the number of parallel trials of a resumed search to the planned one.

Katib requests the first trials of an Experiment all at once, and waits until the algorithm suggests
all of them. After a stop, some of them may depend on an interrupted trial of the same request. So
the Experiment starts with fewer parallel trials.
"""

from contextlib import suppress

from housectl.backends.katib.katib_objects import EXPERIMENTS, KatibExperiment
from housectl.backends.katib.state.cluster_objects import ExperimentObjects
from housectl.backends.katib.stop_marks import stop_reason
from housectl.errors import RejectedError
from housectl.experiment import Experiment
from housectl.kube.client import Kube


def widen(kube: Kube, experiment: Experiment, objects: ExperimentObjects) -> bool:
    """Raise the number of parallel trials; return False if the first request is not yet answered.

    Stopped and ended sub-experiments, and those with Katib's own algorithms, stay as they are.
    """
    narrow = [item for item in objects.sub_experiments if _is_narrow(item, experiment, objects)]
    ready = [item for item in narrow if _is_first_request_answered(item, objects)]
    for sub_experiment in ready:
        change = {"parallelTrialCount": _planned_width(sub_experiment, experiment)}
        # The sub-experiment may have just ended.
        with suppress(RejectedError):
            kube.patch(EXPERIMENTS, sub_experiment.metadata.name, {"spec": change})
    return len(ready) == len(narrow)


def _is_narrow(
    sub_experiment: KatibExperiment, experiment: Experiment, objects: ExperimentObjects
) -> bool:
    if stop_reason(sub_experiment) or sub_experiment.has_ended or not objects.is_one_list:
        return False
    spec = sub_experiment.spec
    return spec.parallel_trial_count < _planned_width(sub_experiment, experiment)


def _planned_width(sub_experiment: KatibExperiment, experiment: Experiment) -> int:
    return min(experiment.workers, sub_experiment.spec.max_trial_count)


def _is_first_request_answered(sub_experiment: KatibExperiment, objects: ExperimentObjects) -> bool:
    width = sub_experiment.spec.parallel_trial_count
    return any(
        item.status.suggestion_count >= width
        for item in objects.suggestions
        if item.metadata.name == sub_experiment.metadata.name
    )
