"""A Katib experiment with its objects and logs: the input of all probes of experiments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from housectl.backends.katib.diagnosis.collector import trainer_lines
from housectl.backends.katib.diagnosis.job_run import JobRun, job_of
from housectl.backends.katib.katib_objects import KatibExperiment, KatibTrial, Suggestion
from housectl.kube.kubectl import KubectlTarget
from housectl.kube.objects.events import Event
from housectl.kube.objects.jobs import Job
from housectl.kube.objects.pods import Pod


@dataclass(frozen=True, kw_only=True)
class ExperimentContext:
    """The objects of one Katib experiment, at one moment.

    Attributes:
        context: Context of the kubeconfig; None for the current one.
        name: The user's name of the experiment, for the commands of hints; empty if it is the name
            of the Katib experiment.
        pods: Pods of the trials and of the algorithm's service.
        events: Events of the namespace, including those about other objects.
        collector_logs: Lines of the collectors' raw logs by trial name, as far as they were read.
    """

    namespace: str
    context: str | None = None
    name: str = ""
    experiment: KatibExperiment
    suggestion: Suggestion | None = None
    trials: Sequence[KatibTrial] = ()
    jobs: Sequence[Job] = ()
    pods: Sequence[Pod] = ()
    events: Sequence[Event] = ()
    collector_logs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    now: datetime

    @property
    def target(self) -> KubectlTarget:
        """The experiment's namespace, for kubectl commands."""
        return KubectlTarget(namespace=self.namespace, context=self.context)

    @property
    def user_name(self) -> str:
        """The user's name of the experiment."""
        return self.name or self.experiment.metadata.name

    @property
    def algorithm(self) -> str:
        """Name of the search algorithm."""
        return self.experiment.spec.algorithm.algorithm_name

    @cached_property
    def active_trials(self) -> list[KatibTrial]:
        """The trials that have not ended."""
        return [trial for trial in self.trials if not trial.has_ended]

    @cached_property
    def last_progress(self) -> datetime:
        """Time of the last creation or completion of an object."""
        times = [self.experiment.metadata.creation_timestamp]
        times += [trial.metadata.creation_timestamp for trial in self.trials]
        times += [trial.status.completion_time for trial in self.trials]
        if self.suggestion:
            times.append(self.suggestion.metadata.creation_timestamp)
        return max((time for time in times if time), default=self.now)

    @property
    def idle_time(self) -> timedelta:
        """Time since the last progress; zero while a trial is active."""
        return timedelta() if self.active_trials else self.now - self.last_progress

    def collector_log(self, trial: KatibTrial) -> str:
        """Return the log of a trial's collector, as far as it was read."""
        return "\n".join(self.collector_logs.get(trial.metadata.name, ()))

    def job_run(self, trial: KatibTrial) -> JobRun:
        """Return the job run of a trial."""
        name = trial.metadata.name
        return JobRun(
            target=self.target,
            name=name,
            job=self._jobs.get(name),
            pods=self._pods_by_job.get(name, ()),
            events=(*self._events_by_job.get(name, ()), *self._pvc_events),
            now=self.now,
            primary_container=trial.spec.primary_container_name,
            trainer_lines=trainer_lines(self.collector_log(trial)),
            logs_command=f"housectl logs {self.user_name} --trial {name}",
        )

    @cached_property
    def _jobs(self) -> Mapping[str, Job]:
        return {job.metadata.name: job for job in self.jobs}

    @cached_property
    def _pods_by_job(self) -> Mapping[str, Sequence[Pod]]:
        pods: dict[str, list[Pod]] = {}
        for pod in self.pods:
            if job := job_of(pod):
                pods.setdefault(job, []).append(pod)
        return pods

    @cached_property
    def _events_by_job(self) -> Mapping[str, Sequence[Event]]:
        """The events about each job, its trial and its pods."""
        events: dict[str, list[Event]] = {}
        for event in self.events:
            involved = event.involved_object
            is_pod = involved.kind == "Pod"
            job = involved.name.rpartition("-")[0] if is_pod else involved.name
            events.setdefault(job, []).append(event)
        return events

    @cached_property
    def _pvc_events(self) -> Sequence[Event]:
        kind = "PersistentVolumeClaim"
        return [event for event in self.events if event.involved_object.kind == kind]
