"""What a backend writes down of the work that it was given."""

from housectl.backends.base import Task, Workload
from housectl.contract.record import MalformedRecordError, Record
from housectl.experiment import Experiment


class WorkloadRecord(Record, kw_only=True):
    """An experiment or a task; formats add to it what their backend needs."""

    experiment: Experiment | None = None
    task: Task | None = None

    @property
    def workload(self) -> Workload:
        """What is to be done."""
        work = self.experiment or self.task
        if work is None:
            raise MalformedRecordError("neither an experiment nor a task")
        return work
