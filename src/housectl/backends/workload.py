"""The record of a submitted workload."""

from housectl.backends.base import Task, Workload
from housectl.contract.record import MalformedRecordError, Record
from housectl.experiment import Experiment


class WorkloadRecord(Record, kw_only=True):
    """An experiment or a task; each backend's record adds its own fields."""

    experiment: Experiment | None = None
    task: Task | None = None

    @property
    def workload(self) -> Workload:
        """The experiment or task."""
        workload = self.experiment or self.task
        if workload is None:
            raise MalformedRecordError("neither an experiment nor a task")
        return workload
