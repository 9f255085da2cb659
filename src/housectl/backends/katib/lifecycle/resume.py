"""Resuming an experiment, which Katib cannot do, by creating further Katib Experiments."""

from housectl.backends.katib.katib_objects import EXPERIMENTS
from housectl.backends.katib.lifecycle.create import create_missing
from housectl.backends.katib.plan.manifest import experiment_manifest
from housectl.backends.katib.plan.plan_record import KatibPlanRecord
from housectl.backends.katib.state.cluster_objects import ExperimentObjects
from housectl.backends.katib.state.generations import newest_generation
from housectl.backends.katib.stop_marks import STOPPED_BY_USER
from housectl.experiment import Experiment
from housectl.kube.client import Kube


def resume_experiment(
    kube: Kube, record: KatibPlanRecord, experiment: Experiment, objects: ExperimentObjects
) -> None:
    """Create the next generation if the user stopped this one, or else complete this one.

    Raises:
        AlreadyExistsError: Another object has one of the names.
    """
    newest = newest_generation(experiment, objects)
    stopped = STOPPED_BY_USER in newest.stop_reasons
    for sub_experiment in newest.remaining if stopped else newest.missing:
        create_missing(kube, EXPERIMENTS, experiment_manifest(record, experiment, sub_experiment))
