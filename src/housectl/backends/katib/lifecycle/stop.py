"""Stopping an experiment, which Katib itself cannot do."""

import time
from collections.abc import Sequence
from contextlib import suppress

from housectl.backends.base import Snapshot, Task, Workload
from housectl.backends.katib.katib_objects import (
    EXPERIMENTS,
    TRIALS,
    KatibExperiment,
    KatibTrial,
)
from housectl.backends.katib.labels_and_paths import (
    EXPERIMENT_LABEL,
    INSTANCE_LABEL,
    STOPPED_ANNOTATION,
    TRIAL,
    labels,
    selector,
)
from housectl.backends.katib.lifecycle.poll import TO_CHANGE, TO_DELETE, poll_until
from housectl.backends.katib.state.cluster_objects import ExperimentObjects
from housectl.backends.katib.stop_marks import STOP_DEADLINE_SECONDS, stop_reason, was_stopped
from housectl.errors import NotFoundError, RejectedError
from housectl.kube.client import Kube
from housectl.kube.kinds import JOBS
from housectl.kube.objects.jobs import Job

# An algorithm may compute for as long.
_IDLE_SECONDS = 30.0
# Katib reads the metric of a completed job within a few seconds.
_METRIC_SECONDS = 20.0


def stop_experiment(kube: Kube, objects: ExperimentObjects, reason: str) -> None:
    """Stop all sub-experiments and their running trials; trials that ended by themselves stay.

    A sub-experiment without trials is deleted.

    Raises:
        ClusterError: Katib's controller does not react.
    """
    kept = [item for item in objects.sub_experiments if item.has_ended or objects.trials_of(item)]
    if not all(item.has_ended for item in objects.sub_experiments):
        for sub_experiment in kept:
            _annotate_stopped(kube, sub_experiment, reason)
    for sub_experiment in objects.sub_experiments:
        if sub_experiment not in kept:
            _delete_experiment(kube, sub_experiment.metadata.name)
    _wait_until_ended(kube, [item.metadata.name for item in kept])
    for sub_experiment in kept:
        _delete_interrupted_trials(kube, sub_experiment)


def remaining_seconds(workload: Workload, snapshot: Snapshot) -> float | None:
    """Return the rest of a search's time limit; None without a limit or after its end."""
    if isinstance(workload, Task) or snapshot.state.ended:
        return None
    return workload.budget.remaining_seconds(snapshot.trials, now=time.time())


def _annotate_stopped(kube: Kube, sub_experiment: KatibExperiment, reason: str) -> None:
    if stop_reason(sub_experiment) is None:
        change = {"metadata": {"annotations": {STOPPED_ANNOTATION: reason}}}
        kube.patch(EXPERIMENTS, sub_experiment.metadata.name, change)


def _wait_until_ended(kube: Kube, sub_experiments: Sequence[str]) -> None:
    endings = [_Ending(kube, name) for name in sub_experiments]

    def have_ended() -> bool:
        # Each one takes its next step, whether or not another one has ended.
        ended = [ending.has_ended() for ending in endings]
        return all(ended)

    problem = f"Katib has not ended {' and '.join(sub_experiments)}"
    poll_until(kube, have_ended, problem=problem, requirements=TO_CHANGE)


class _Ending:
    """Makes Katib end a sub-experiment: by failed trials, or by a reached number of trials.

    If the algorithm suggests no more trials, one without an objective is repeated, so that it can
    fail. Without such a trial, Katib leaves the experiment open.
    """

    def __init__(self, kube: Kube, name: str) -> None:
        self._kube = kube
        self._name = name
        self._last_active = time.monotonic()
        self._ended_since: dict[str, float] = {}
        self._repeated: set[str] = set()

    def has_ended(self) -> bool:
        """Take the next steps; return True if no trial of the sub-experiment can run any more."""
        sub_experiment = self._kube.get(EXPERIMENTS, self._name, KatibExperiment)
        if sub_experiment.has_ended:
            return True
        trials = _trials(self._kube, self._name)
        active = [trial for trial in trials if not trial.has_ended]
        failed = sum(trial.has_failed for trial in trials)
        _cap_trials(self._kube, sub_experiment, failed=failed)
        for trial in active:
            self._end_job(trial.metadata.name)
        now = time.monotonic()
        if not active and now - self._last_active > _IDLE_SECONDS:
            return not self._repeat_unusable(trials)
        self._last_active = now if active else self._last_active
        return False

    def _repeat_unusable(self, trials: Sequence[KatibTrial]) -> bool:
        """Delete a trial without an objective, which Katib then repeats; False without one.

        Katib does not repeat its only trial.
        """
        unusable = {trial.metadata.name for trial in trials if trial.objective is None}
        names = sorted(unusable - self._repeated)
        if not names or len(trials) == 1:
            return False
        self._repeated.add(names[0])
        self._kube.delete(TRIALS, names[0])
        self._last_active = time.monotonic()
        return True

    def _end_job(self, name: str) -> None:
        """Let a trial fail, also one without a pod; a trial without a job gets one later.

        Katib ignores a completed job until it gets the metric, which may be never. So the job is
        deleted after some time. Katib then creates another one, which can fail.
        """
        with suppress(NotFoundError):
            job = self._kube.get(JOBS, name, Job)
            if not job.has_ended:
                change = {"spec": {"activeDeadlineSeconds": STOP_DEADLINE_SECONDS}}
                self._kube.patch(JOBS, name, change)
            elif self._seconds_since_end(job) > _METRIC_SECONDS:
                self._kube.delete(JOBS, name)

    def _seconds_since_end(self, job: Job) -> float:
        """Return the seconds for which a job is known to have ended."""
        now = time.monotonic()
        return now - self._ended_since.setdefault(job.metadata.uid, now)


def _cap_trials(kube: Kube, sub_experiment: KatibExperiment, *, failed: int) -> None:
    """Lower the limits of trials and of failed trials as far as Katib allows."""
    spec, trials = sub_experiment.spec, sub_experiment.status.trials
    # Katib rejects a limit that leaves no room for one more trial, or for all parallel ones.
    lowest = max(trials + 1, spec.parallel_trial_count)
    limits = lowest, max(failed, 1)
    current = spec.max_trial_count, spec.max_failed_trial_count
    if spec.max_trial_count <= trials or limits == current:
        return
    change = {"maxTrialCount": limits[0], "maxFailedTrialCount": limits[1]}
    try:
        kube.patch(EXPERIMENTS, sub_experiment.metadata.name, {"spec": change})
    except RejectedError:
        # Katib also rejects a change if the experiment has just ended or started another trial.
        now = kube.get(EXPERIMENTS, sub_experiment.metadata.name, KatibExperiment)
        if not now.has_ended and now.status.trials == trials:
            raise


def _delete_interrupted_trials(kube: Kube, sub_experiment: KatibExperiment) -> None:
    """Delete the trials that have not ended, and those that failed because of the stop."""
    job_selector = selector(labels(sub_experiment.metadata.labels[INSTANCE_LABEL], TRIAL))
    jobs = kube.list_as(JOBS, Job, labels=job_selector)
    stopped = {job.metadata.name for job in jobs if was_stopped(job)}
    for trial in _trials(kube, sub_experiment.metadata.name):
        interrupted = trial.metadata.name in stopped and not trial.has_succeeded
        if interrupted or not trial.has_ended:
            kube.delete(TRIALS, trial.metadata.name)


def _delete_experiment(kube: Kube, name: str) -> None:
    kube.delete(EXPERIMENTS, name)

    def is_gone() -> bool:
        with suppress(NotFoundError):
            kube.get(EXPERIMENTS, name, KatibExperiment)
            return False
        return True

    poll_until(kube, is_gone, problem=f"Katib has not deleted {name}", requirements=TO_DELETE)


def _trials(kube: Kube, sub_experiment: str) -> Sequence[KatibTrial]:
    return kube.list_as(TRIALS, KatibTrial, labels=f"{EXPERIMENT_LABEL}={sub_experiment}")
