"""Plans for a cluster: manifests that `kubectl apply` takes as well."""

from dataclasses import dataclass

from housectl.backends.base import Task, Workload
from housectl.backends.katib.katib_objects import EXPERIMENTS
from housectl.backends.katib.plan.manifest import experiment_manifest, task_manifest
from housectl.backends.katib.plan.pod_spec import Manifest
from housectl.backends.katib.plan.records import PlanRecord
from housectl.backends.katib.plan.sub_experiments import sub_experiments
from housectl.kube.kinds import JOBS, Kind


@dataclass(frozen=True)
class KatibPlan:
    """What is sent to the cluster: a Job for a task, else an Experiment for each family."""

    record: PlanRecord

    @property
    def workload(self) -> Workload:
        """What is to be done."""
        return self.record.workload

    @property
    def kind(self) -> Kind:
        """The kind of its objects."""
        return JOBS if isinstance(self.workload, Task) else EXPERIMENTS

    @property
    def image(self) -> str:
        """The trainer's image."""
        return self.record.image

    def __str__(self) -> str:
        import yaml

        return yaml.safe_dump_all(self.manifests(), sort_keys=False, width=100)

    def manifests(self) -> list[Manifest]:
        """Return what is sent, in its order."""
        work = self.workload
        if isinstance(work, Task):
            return [task_manifest(self.record, work)]
        return [experiment_manifest(self.record, work, member) for member in sub_experiments(work)]
