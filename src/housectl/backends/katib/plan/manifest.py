"""The manifests of an experiment and of a task. Pure."""

import math
from collections.abc import Sequence

from housectl.backends.base import Task
from housectl.backends.katib.naming import (
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
from housectl.backends.katib.plan.pod_spec import CONTAINER, Manifest, container, pod_spec
from housectl.backends.katib.plan.records import PlanRecord
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

# The collector looks for the training once, when it starts itself.
_MIN_TRIAL_SECONDS = 5
# Kubernetes counts a job's time from its creation: the wait for a node and the pull of the image,
# too. The trainer counts its own from its start, and leaves a log; a job's deadline deletes it.
_STARTING_SECONDS = 1800
_TERMINATION_LOG = "/dev/termination-log"
_TRIAL_NAME = "trialName"
_METRIC_FORMAT = rf"^({OBJECTIVE})=([+-]?\d+(\.\d+)?([eE][+-]?\d+)?)$"
_SKOPT_INITIAL_POINTS = 10
_SEEDED = {SKOPT, "random", "tpe", "multivariate-tpe", "cmaes"}
_SEED_LIMIT = 2**31
_TRIAL_CORES = 1
_TASK_CORES = 4


def experiment_manifest(
    plan: PlanRecord, experiment: Experiment, member: SubExperiment
) -> Manifest:
    """Return the Katib Experiment of one member of an experiment."""
    parameters = experiment.spaces[member.family].parameters
    return {
        "apiVersion": "kubeflow.org/v1beta1",
        "kind": "Experiment",
        "metadata": {
            "name": member.name,
            "namespace": plan.settings.namespace,
            "labels": {
                **labels(experiment.name, EXPERIMENT),
                FAMILY_LABEL: member.family.value,
                GENERATION_LABEL: str(member.generation),
            },
            "annotations": {PLAN_ANNOTATION: canonical_json(plan).decode()},
        },
        "spec": {
            "objective": {"type": "minimize", "objectiveMetricName": OBJECTIVE},
            "metricsCollectorSpec": {
                "collector": {"kind": "StdOut"},
                "source": {"filter": {"metricsFormat": [_METRIC_FORMAT]}},
            },
            "algorithm": _algorithm(plan.settings.algorithm, experiment.seed, member),
            "maxTrialCount": member.budget.trials,
            "parallelTrialCount": min(member.workers, member.budget.trials),
            "maxFailedTrialCount": min(member.budget.max_failed, member.budget.trials),
            "resumePolicy": "Never",
            "parameters": [_parameter(each) for each in parameters],
            "trialTemplate": {
                "primaryContainerName": CONTAINER,
                # Without it Katib would delete the pods of trials, and their logs.
                "retain": True,
                "trialParameters": [
                    *({"name": each.name, "reference": each.name} for each in parameters),
                    {"name": _TRIAL_NAME, "reference": "${trialSpec.Name}"},
                ],
                "trialSpec": {
                    "apiVersion": "batch/v1",
                    "kind": "Job",
                    "metadata": {"labels": labels(experiment.name, TRIAL)},
                    "spec": _trial_job(plan, experiment, member.family),
                },
            },
        },
    }


def task_manifest(plan: PlanRecord, task: Task) -> Manifest:
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


def _trial_job(plan: PlanRecord, experiment: Experiment, family: Family) -> Manifest:
    space = experiment.spaces[family]
    searched = {each.name: f"${{trialParameters.{each.name}}}" for each in space.parameters}
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
    plan: PlanRecord,
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
        requests=requests(settings, limits),
        limits={
            "cpu": str(max(cores, math.ceil(parse_quantity(settings.cpu)))),
            **({"memory": format_bytes(limits.memory)} if limits.memory else {}),
        },
    )
    deadline = (
        {"activeDeadlineSeconds": math.ceil(limits.seconds) + _STARTING_SECONDS}
        if limits.seconds is not None
        else {}
    )
    return {
        # A training that failed once would fail again, six times by default.
        "backoffLimit": 0,
        **deadline,
        "template": {
            "metadata": {"labels": pod_labels(name, component)},
            "spec": pod_spec(trainer, pvc=settings.pvc),
        },
    }


def requests(settings: KatibSettings, limits: Limits) -> dict[str, str]:
    """Return what a trainer is scheduled by; more memory than its limit cannot be asked for."""
    memory = min(settings.memory, limits.memory or settings.memory)
    return {"cpu": settings.cpu, "memory": format_bytes(memory)}


def _parameter(parameter: Parameter) -> Manifest:
    """Return a parameter in Katib's form, which has texts for numbers."""
    if parameter.minimum is None or parameter.maximum is None:
        feasible: Manifest = {"list": [str(choice) for choice in parameter.choices]}
    else:
        feasible = {"min": _text(parameter.minimum), "max": _text(parameter.maximum)}
        if parameter.log:
            feasible["distribution"] = "logUniform"
    return {
        "name": parameter.name,
        "parameterType": parameter.kind.value,
        "feasibleSpace": feasible,
    }


def _text(bound: float) -> str:
    return str(int(bound)) if float(bound).is_integer() else repr(bound)


def _algorithm(name: str, seed: int, member: SubExperiment) -> Manifest:
    settings: dict[str, str] = {}
    if name in _SEEDED:
        # Each round and each family draws its own numbers.
        own = derived_seed(seed, f"{member.family} {member.generation}")
        settings["random_state"] = str(own % _SEED_LIMIT)
    if name == SKOPT and member.budget.trials <= _SKOPT_INITIAL_POINTS:
        # With the default of ten the whole search would be a random one.
        settings["n_initial_points"] = str(max(1, member.budget.trials // 2))
    listed = [{"name": key, "value": value} for key, value in sorted(settings.items())]
    return {"algorithmName": name, **({"algorithmSettings": listed} if listed else {})}
