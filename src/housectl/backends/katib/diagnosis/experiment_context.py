"""One look at the members of an experiment on a cluster."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from housectl.backends.katib.diagnosis.collector import trainer_lines
from housectl.backends.katib.diagnosis.job_run import JobRun, pods_of
from housectl.backends.katib.katib_objects import KatibExperiment, KatibTrial, Suggestion
from housectl.kube.kubectl import KubectlTarget
from housectl.kube.objects.events import Event
from housectl.kube.objects.jobs import Job
from housectl.kube.objects.pods import Pod


@dataclass(frozen=True, kw_only=True)
class ExperimentContext:
    """The objects of one Katib experiment, as they were at one moment.

    Attributes:
        name: What the user calls the experiment, for the commands of the hints; empty if that is
            the name of the Katib experiment.
        context: The kubeconfig's; None for the current one.
        pods: Those of trials, and that of the suggestion's service.
        events: Of the namespace; those about other objects do no harm.
        collectors: The raw logs of Katib's collectors in lines, by the trial's name, where known.
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
        """Where it is."""
        return KubectlTarget(namespace=self.namespace, context=self.context)

    @property
    def user_name(self) -> str:
        """What the user calls it."""
        return self.name or self.experiment.metadata.name

    @property
    def algorithm(self) -> str:
        """The algorithm that chooses assignments."""
        return self.experiment.spec.algorithm.algorithm_name

    @property
    def active_trials(self) -> list[KatibTrial]:
        """The trials that have not ended."""
        return [trial for trial in self.trials if not trial.has_ended]

    @property
    def last_progress(self) -> datetime:
        """When something has begun or ended last."""
        times = [self.experiment.metadata.creation_timestamp]
        times += [trial.metadata.creation_timestamp for trial in self.trials]
        times += [trial.status.completion_time for trial in self.trials]
        if self.suggestion:
            times.append(self.suggestion.metadata.creation_timestamp)
        return max((time for time in times if time), default=self.now)

    @property
    def idle_time(self) -> timedelta:
        """For how long nothing has begun or ended; none while a trial has not ended."""
        return timedelta() if self.active_trials else self.now - self.last_progress

    def collector_log(self, trial: KatibTrial) -> str:
        """Return what a trial's collector said, as far as it is known."""
        return "\n".join(self.collector_logs.get(trial.metadata.name, ()))

    def job_run(self, trial: KatibTrial) -> JobRun:
        """Return a trial's job and pods."""
        name = trial.metadata.name
        return JobRun(
            target=self.target,
            name=name,
            job=next((job for job in self.jobs if job.metadata.name == name), None),
            pods=pods_of(name, self.pods),
            events=self.events,
            now=self.now,
            primary_container=trial.spec.primary_container_name,
            trainer_lines=trainer_lines(self.collector_log(trial)),
            logs_command=f"housectl logs {self.user_name} --trial {name}",
        )
