"""Going on with a search, which Katib itself cannot: in Katib Experiments that it lacks."""

from housectl.backends.katib.katib_objects import EXPERIMENTS
from housectl.backends.katib.lifecycle.create import create_missing
from housectl.backends.katib.plan.manifest import experiment_manifest
from housectl.backends.katib.plan.records import PlanRecord
from housectl.backends.katib.state.cluster_objects import ExperimentObjects
from housectl.backends.katib.state.generations import newest_generation
from housectl.backends.katib.stop_marks import STOPPED_BY_USER
from housectl.experiment import Experiment
from housectl.kube.client import Kube


def resume(kube: Kube, record: PlanRecord, experiment: Experiment, look: ExperimentObjects) -> None:
    """Create what the newest round lacks, or another round if the user has stopped that one.

    Raises:
        NameTakenError: Something else has one of the names.
    """
    newest = newest_generation(experiment, look)
    for member in newest.remaining if STOPPED_BY_USER in newest.stop_reasons else newest.missing:
        create_missing(kube, EXPERIMENTS, experiment_manifest(record, experiment, member))
