"""Resuming an experiment, which Katib cannot do, by creating further Katib Experiments.

With the algorithm `housectl`, the new Katib Experiment continues the list of trials. Interrupted
trials run again under the same names.
"""

from housectl.backends.katib.katib_objects import EXPERIMENTS, TRIALS
from housectl.backends.katib.labels_and_paths import JOB_LABEL, owned_selector
from housectl.backends.katib.lifecycle.create import create_missing
from housectl.backends.katib.lifecycle.poll import TO_DELETE, poll_until
from housectl.backends.katib.plan.manifest import experiment_manifest
from housectl.backends.katib.plan.plan_record import KatibPlanRecord
from housectl.backends.katib.state.cluster_objects import ExperimentObjects
from housectl.backends.katib.state.generations import earlier_trials, newest_generation
from housectl.backends.katib.stop_marks import STOPPED_BY_USER
from housectl.experiment import Experiment
from housectl.kube.client import Kube
from housectl.kube.kinds import JOBS, PODS
from housectl.kube.objects.base import NamedObject


def resume_experiment(
    kube: Kube, record: KatibPlanRecord, experiment: Experiment, objects: ExperimentObjects
) -> None:
    """Create the next generation if the user stopped this one, or else complete this one.

    Raises:
        AlreadyExistsError: Another object has one of the names.
        ClusterError: Katib has not deleted an interrupted trial.
    """
    newest = newest_generation(experiment, objects)
    stopped = STOPPED_BY_USER in newest.stop_reasons
    continues_list = stopped and objects.is_one_list
    if continues_list:
        _wait_for_deletions(kube, experiment.name)
    earlier = earlier_trials(experiment, objects) if continues_list else []
    for sub_experiment in newest.remaining if stopped else newest.missing:
        manifest = experiment_manifest(record, experiment, sub_experiment, earlier=earlier)
        create_missing(kube, EXPERIMENTS, manifest)


def _wait_for_deletions(kube: Kube, name: str) -> None:
    """Wait until interrupted trials are gone, because new trials get their names.

    A new trial would take over an old job, and share its output with an old pod.
    """
    owned = owned_selector(name)

    def are_gone() -> bool:
        trials = kube.list_as(TRIALS, NamedObject, labels=owned)
        kept = {item.metadata.name for item in trials if not item.metadata.deletion_timestamp}
        jobs = {item.metadata.name for item in kube.list_as(JOBS, NamedObject, labels=owned)}
        pods = kube.list_as(PODS, NamedObject, labels=f"{owned},{JOB_LABEL}")
        jobs |= {item.metadata.labels[JOB_LABEL] for item in pods}
        return len(kept) == len(trials) and jobs <= kept

    poll_until(
        kube,
        are_gone,
        problem=f"Katib has not deleted the interrupted trials of {name}",
        requirements=TO_DELETE,
    )
