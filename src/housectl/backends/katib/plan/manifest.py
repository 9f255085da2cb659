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
from housectl.backends.katib.plan.plan_record import KatibPlanRecord
from housectl.backends.katib.plan.pod_spec import CONTAINER, Manifest, container, pod_spec
from housectl.backends.katib.plan.sub_experiments import SubExperiment
from housectl.backends.trainer_argv import task_argv, trainer_argv
from housectl.contract.families import Family
from housectl.contract.metrics import OBJECTIVE
from housectl.contract.recipe import derived_seed
from housectl.contract.record import canonical_json
from housectl.experiment import Experiment, Limits, Parameter
from housectl.project.fields import KatibSettings
from housectl.quantities import format_bytes, parse_quantity

SKOPT = "bayesianoptimization"
TERMINATION_REPORT_SUFFIX = ".termination-report.json"

# The collector looks for the trainer's process only once, when the collector starts.
_MIN_TRIAL_SECONDS = 5
# A job's deadline includes the time before its pod starts: waiting for a node, pulling the image.
# The trainer's deadline starts with the trainer and leaves a log; a job's deadline deletes the pod.
_START_ALLOWANCE_SECONDS = 1800
_TERMINATION_LOG = "/dev/termination-log"
_TRIAL_NAME = "trialName"
_METRIC_FORMAT = rf"^({OBJECTIVE})=([+-]?\d+(\.\d+)?([eE][+-]?\d+)?)$"
_MAX_SKOPT_INITIAL_POINTS = 10
_SEEDED = {SKOPT, "random", "tpe", "multivariate-tpe", "cmaes"}
_SEED_LIMIT = 2**31
_TRIAL_CORES = 1
_TASK_CORES = 4


def experiment_manifest(
    plan: KatibPlanRecord, experiment: Experiment, sub_experiment: SubExperiment
) -> Manifest:
    """Return the Katib Experiment of one sub-experiment."""
    parameters = experiment.spaces[sub_experiment.family].parameters
    budget = sub_experiment.budget
    return {
        "apiVersion": "kubeflow.org/v1beta1",
        "kind": "Experiment",
        "metadata": {
            "name": sub_experiment.name,
            "namespace": plan.settings.namespace,
            "labels": {
                **labels(experiment.name, EXPERIMENT),
                FAMILY_LABEL: sub_experiment.family.value,
                GENERATION_LABEL: str(sub_experiment.generation),
            },
            "annotations": {PLAN_ANNOTATION: canonical_json(plan).decode()},
        },
        "spec": {
            "objective": {"type": "minimize", "objectiveMetricName": OBJECTIVE},
            "metricsCollectorSpec": {
                "collector": {"kind": "StdOut"},
                "source": {"filter": {"metricsFormat": [_METRIC_FORMAT]}},
            },
            "algorithm": _algorithm(plan.settings.algorithm, experiment.seed, sub_experiment),
            "maxTrialCount": budget.trials,
            "parallelTrialCount": min(sub_experiment.workers, budget.trials),
            "maxFailedTrialCount": min(budget.max_failed, budget.trials),
            "resumePolicy": "Never",
            "parameters": [_parameter(parameter) for parameter in parameters],
            "trialTemplate": _trial_template(plan, experiment, sub_experiment.family),
        },
    }


def _trial_template(plan: KatibPlanRecord, experiment: Experiment, family: Family) -> Manifest:
    names = [parameter.name for parameter in experiment.spaces[family].parameters]
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
            "spec": _trial_job(plan, experiment, family),
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


def _trial_job(plan: KatibPlanRecord, experiment: Experiment, family: Family) -> Manifest:
    space = experiment.spaces[family]
    names = [parameter.name for parameter in space.parameters]
    searched = {name: f"${{trialParameters.{name}}}" for name in names}
    output = mounted(output_path(experiment.name, f"${{trialParameters.{_TRIAL_NAME}}}"))
    seconds = experiment.limits.seconds
    options = (
        ("--inputs", mounted(inputs_path(plan.inputs))),
        ("--output", output),
        ("--family", family),
        ("--min-runtime", str(_MIN_TRIAL_SECONDS)),
        ("--deadline", str(seconds) if seconds is not None else None),
        ("--termination-report", _TERMINATION_LOG),
        ("--termination-report", f"{output}{TERMINATION_REPORT_SUFFIX}"),
    )
    arguments = trainer_argv("trial", options, {**space.fixed, **searched})
    limits = experiment.limits
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


def _parameter(parameter: Parameter) -> Manifest:
    """Return a parameter in Katib's format, whose numbers are texts."""
    if parameter.minimum is None or parameter.maximum is None:
        feasible: Manifest = {"list": [str(choice) for choice in parameter.choices]}
    else:
        feasible = {"min": _number_text(parameter.minimum), "max": _number_text(parameter.maximum)}
        if parameter.log:
            feasible["distribution"] = "logUniform"
    return {
        "name": parameter.name,
        "parameterType": parameter.kind.value,
        "feasibleSpace": feasible,
    }


def _number_text(bound: float) -> str:
    return str(int(bound)) if float(bound).is_integer() else repr(bound)


def _algorithm(name: str, seed: int, sub_experiment: SubExperiment) -> Manifest:
    settings: dict[str, str] = {}
    if name in _SEEDED:
        # Each generation and each family has its own random numbers.
        own_seed = derived_seed(seed, f"{sub_experiment.family} {sub_experiment.generation}")
        settings["random_state"] = str(own_seed % _SEED_LIMIT)
    if name == SKOPT:
        # With the default of ten, most trials of a small budget would be random.
        half = max(1, sub_experiment.budget.trials // 2)
        settings["n_initial_points"] = str(min(half, _MAX_SKOPT_INITIAL_POINTS))
    listed = [{"name": key, "value": value} for key, value in sorted(settings.items())]
    return {"algorithmName": name, **({"algorithmSettings": listed} if listed else {})}
