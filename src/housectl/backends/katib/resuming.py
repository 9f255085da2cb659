"""Going on with a search, which Katib itself cannot: in Katib Experiments that it lacks."""

from housectl.backends.katib.creation import create_missing
from housectl.backends.katib.look import ExperimentLook
from housectl.backends.katib.manifest import experiment_manifest
from housectl.backends.katib.members import BY_USER
from housectl.backends.katib.records import PlanRecord
from housectl.backends.katib.rounds import newest_round
from housectl.backends.kube.client import Kube
from housectl.experiment import Experiment


def resume(kube: Kube, record: PlanRecord, experiment: Experiment, look: ExperimentLook) -> None:
    """Create what the newest round lacks, or another round if the user has stopped that one.

    Raises:
        NameTakenError: Something else has one of the names.
    """
    newest = newest_round(experiment, look)
    for member in newest.rest if BY_USER in newest.stops else newest.missing:
        create_missing(kube, experiment_manifest(record, experiment, member))
