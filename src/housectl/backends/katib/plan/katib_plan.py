"""Plans for a cluster: manifests that `kubectl apply` also accepts."""

from dataclasses import dataclass

from housectl.backends.base import Task, Workload
from housectl.backends.katib.katib_objects import EXPERIMENTS
from housectl.backends.katib.plan.manifest import experiment_manifest, task_manifest
from housectl.backends.katib.plan.plan_record import KatibPlanRecord
from housectl.backends.katib.plan.pod_spec import Manifest
from housectl.backends.katib.plan.sub_experiments import sub_experiments
from housectl.kube.kinds import JOBS, Kind


@dataclass(frozen=True)
class KatibPlan:
    """The manifests of a workload: one Job for a task, or the Experiments of a search."""

    record: KatibPlanRecord

    @property
    def workload(self) -> Workload:
        """The experiment or task."""
        return self.record.workload

    @property
    def kind(self) -> Kind:
        """The kind of all its objects."""
        return JOBS if isinstance(self.workload, Task) else EXPERIMENTS

    @property
    def image(self) -> str:
        """The trainer's image."""
        return self.record.image

    def __str__(self) -> str:
        import yaml

        return yaml.safe_dump_all(self.manifests(), sort_keys=False, width=100)

    def manifests(self) -> list[Manifest]:
        """Return the manifests in the order of their creation."""
        workload = self.workload
        if isinstance(workload, Task):
            return [task_manifest(self.record, workload)]
        return [
            experiment_manifest(self.record, workload, sub_experiment)
            for sub_experiment in sub_experiments(
                workload, algorithm=self.record.settings.algorithm
            )
        ]
