"""The manifests of an experiment and of a task. Pure."""

import math
from collections.abc import Sequence

from housectl.backends.base import Task
from housectl.backends.katib.labels_and_paths import (
    EXPERIMENT,
    FAMILY_LABEL,
    GENERATION_LABEL,
    PLAN_ANNOTATION,
    TASK,
    TRIAL,
    inputs_path,
    labels,
    mounted,
    output_path,
    pod_labels,
)
from housectl.backends.katib.plan.algorithm import algorithm_manifest
from housectl.backends.katib.plan.plan_record import KatibPlanRecord
from housectl.backends.katib.plan.pod_spec import CONTAINER, Manifest, container, pod_spec
from housectl.backends.katib.plan.search_parameters import (
    placeholder,
    search_parameters,
    trial_assignment,
    trial_options,
)
from housectl.backends.katib.plan.sub_experiments import SubExperiment, searches_all_families
from housectl.backends.trainer_argv import task_argv, trainer_argv
from housectl.contract.metrics import OBJECTIVE, PRUNED_AFTER
from housectl.contract.record import canonical_json
from housectl.experiment import Experiment, Limits
from housectl.project.fields import KatibSettings
from housectl.quantities import format_bytes, parse_quantity
from housectl.search.first_trials import startable_trials
from housectl.search.katib_texts import EarlierTrial

TERMINATION_REPORT_SUFFIX = ".termination-report.json"

# The collector looks for the trainer's process only once, when the collector starts.
_MIN_TRIAL_SECONDS = 5
# A job's deadline includes the time before its pod starts: waiting for a node, pulling the image.
# The trainer's deadline starts with the trainer and leaves a log; a job's deadline deletes the pod.
_START_ALLOWANCE_SECONDS = 1800
_TERMINATION_LOG = "/dev/termination-log"
_TRIAL_NAME = "trialName"
_METRIC_FORMAT = rf"^({OBJECTIVE}|{PRUNED_AFTER})=([+-]?\d+(\.\d+)?([eE][+-]?\d+)?)$"
_TRIAL_CORES = 1
_TASK_CORES = 4


def experiment_manifest(
    plan: KatibPlanRecord,
    experiment: Experiment,
    sub_experiment: SubExperiment,
    *,
    earlier: Sequence[EarlierTrial] = (),
) -> Manifest:
    """Return the Katib Experiment of one sub-experiment.

    Args:
        plan: The plan of the experiment.
        experiment: The search.
        sub_experiment: The Katib Experiment to make.
        earlier: Trials that ended in earlier generations.
    """
    budget, algorithm = sub_experiment.budget, plan.settings.algorithm
    failed = sum(trial.mse is None for trial in earlier)
    return {
        "apiVersion": "kubeflow.org/v1beta1",
        "kind": "Experiment",
        "metadata": {
            "name": sub_experiment.name,
            "namespace": plan.settings.namespace,
            "labels": _experiment_labels(experiment, sub_experiment),
            "annotations": {PLAN_ANNOTATION: canonical_json(plan).decode()},
        },
        "spec": {
            "objective": _objective(algorithm),
            "metricsCollectorSpec": {
                "collector": {"kind": "StdOut"},
                "source": {"filter": {"metricsFormat": [_METRIC_FORMAT]}},
            },
            "algorithm": algorithm_manifest(algorithm, experiment, sub_experiment, earlier=earlier),
            "maxTrialCount": budget.trials,
            "parallelTrialCount": _parallel_trials(
                algorithm, experiment, sub_experiment, earlier=earlier
            ),
            "maxFailedTrialCount": min(max(budget.max_failed - failed, 1), budget.trials),
            "resumePolicy": "Never",
            "parameters": search_parameters(experiment, sub_experiment),
            "trialTemplate": _trial_template(plan, experiment, sub_experiment),
        },
    }


def _parallel_trials(
    algorithm: str,
    experiment: Experiment,
    sub_experiment: SubExperiment,
    *,
    earlier: Sequence[EarlierTrial],
) -> int:
    """Return the number of parallel trials with which the sub-experiment starts."""
    planned = min(sub_experiment.workers, sub_experiment.budget.trials)
    if not searches_all_families(algorithm):
        return planned
    ended = {trial.number for trial in earlier}
    return min(planned, startable_trials(ended, lag=experiment.lag))


def _experiment_labels(experiment: Experiment, sub_experiment: SubExperiment) -> dict[str, str]:
    family = sub_experiment.family
    return {
        **labels(experiment.name, EXPERIMENT),
        **({FAMILY_LABEL: family.value} if family else {}),
        GENERATION_LABEL: str(sub_experiment.generation),
    }


def _objective(algorithm: str) -> Manifest:
    objective: Manifest = {"type": "minimize", "objectiveMetricName": OBJECTIVE}
    if searches_all_families(algorithm):
        objective["additionalMetricNames"] = [PRUNED_AFTER]
    return objective


def _trial_template(
    plan: KatibPlanRecord, experiment: Experiment, sub_experiment: SubExperiment
) -> Manifest:
    names = [str(each["name"]) for each in search_parameters(experiment, sub_experiment)]
    return {
        "primaryContainerName": CONTAINER,
        # Otherwise Katib deletes the pods of trials, and their logs.
        "retain": True,
        "trialParameters": [
            *({"name": name, "reference": name} for name in names),
            {"name": _TRIAL_NAME, "reference": "${trialSpec.Name}"},
        ],
        "trialSpec": {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"labels": labels(experiment.name, TRIAL)},
            "spec": _trial_job(plan, experiment, sub_experiment),
        },
    }


def task_manifest(plan: KatibPlanRecord, task: Task) -> Manifest:
    """Return the Job of a task."""
    arguments = task_argv(
        task,
        inputs=mounted(inputs_path(plan.inputs)),
        output=mounted(output_path(task.name, None)),
        backend="katib",
        image=plan.image,
        termination_report=_TERMINATION_LOG,
    )
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": task.name,
            "namespace": plan.settings.namespace,
            "labels": labels(task.name, TASK),
            "annotations": {PLAN_ANNOTATION: canonical_json(plan).decode()},
        },
        "spec": _job(plan, task.name, TASK, arguments, limits=Limits(), cores=_TASK_CORES),
    }


def _trial_job(
    plan: KatibPlanRecord, experiment: Experiment, sub_experiment: SubExperiment
) -> Manifest:
    output = mounted(output_path(experiment.name, placeholder(_TRIAL_NAME)))
    limits = experiment.limits
    options = (
        ("--inputs", mounted(inputs_path(plan.inputs))),
        ("--output", output),
        *trial_options(sub_experiment),
        ("--min-runtime", str(_MIN_TRIAL_SECONDS)),
        ("--deadline", str(limits.seconds) if limits.seconds is not None else None),
        ("--termination-report", _TERMINATION_LOG),
        ("--termination-report", f"{output}{TERMINATION_REPORT_SUFFIX}"),
    )
    arguments = trainer_argv("trial", options, trial_assignment(experiment, sub_experiment))
    return _job(plan, experiment.name, TRIAL, arguments, limits=limits, cores=_TRIAL_CORES)


def _job(
    plan: KatibPlanRecord,
    name: str,
    component: str,
    arguments: Sequence[str],
    *,
    limits: Limits,
    cores: int,
) -> Manifest:
    settings = plan.settings
    trainer = container(
        plan.image,
        ["python", *arguments],
        requests=resource_requests(settings, limits),
        limits={
            "cpu": str(max(cores, math.ceil(parse_quantity(settings.cpu)))),
            **({"memory": format_bytes(limits.memory)} if limits.memory else {}),
        },
    )
    deadline = (
        {"activeDeadlineSeconds": math.ceil(limits.seconds) + _START_ALLOWANCE_SECONDS}
        if limits.seconds is not None
        else {}
    )
    return {
        # A failed training would fail again; the default is six retries.
        "backoffLimit": 0,
        # An evicted or preempted pod, such as one of a drained node, is replaced without a failure.
        "podFailurePolicy": {
            "rules": [
                {
                    "action": "Ignore",
                    "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
                }
            ]
        },
        **deadline,
        "template": {
            "metadata": {"labels": pod_labels(name, component)},
            "spec": pod_spec(trainer, pvc=settings.pvc),
        },
    }


def resource_requests(settings: KatibSettings, limits: Limits) -> dict[str, str]:
    """Return the resource requests of a trainer; the memory request is at most its limit."""
    memory = min(settings.memory, limits.memory or settings.memory)
    return {"cpu": settings.cpu, "memory": format_bytes(memory)}
