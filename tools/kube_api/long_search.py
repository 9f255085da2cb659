"""The objects of a long search on a cluster, made of its rendered Experiment."""

import copy
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

Manifest = dict[str, Any]
Objects = dict[str, list[Manifest]]

_KATIB = "/apis/kubeflow.org/v1beta1/namespaces/{}/"
_START = datetime(2026, 1, 1, tzinfo=UTC)


def long_search(experiment: Mapping[str, Any], *, trials: int, running: int = 0) -> Objects:
    """Return the objects of a search by the paths of their collections.

    Args:
        experiment: The rendered Katib Experiment.
        trials: Number of its succeeded trials.
        running: Number of trials that run after these.
    """
    namespace = experiment["metadata"]["namespace"]
    names = [f"{experiment['metadata']['name']}-{number:04}" for number in range(trials + running)]
    made = [
        trial(experiment, name, number, succeeded=number < trials)
        for number, name in enumerate(names)
    ]
    jobs = [_job(item) for item in made]
    katib = _KATIB.format(namespace)
    core, batch = f"/api/v1/namespaces/{namespace}/", f"/apis/batch/v1/namespaces/{namespace}/"
    return {
        f"{katib}experiments": [_experiment(experiment, made)],
        f"{katib}suggestions": [],
        f"{katib}trials": made,
        f"{batch}jobs": jobs,
        f"{core}pods": [_pod(job) for job in jobs],
        f"{core}events": [],
        f"{core}persistentvolumeclaims": [{"metadata": {"name": "model-storage"}}],
    }


def trial(experiment: Mapping[str, Any], name: str, number: int, *, succeeded: bool) -> Manifest:
    """Return a Trial as Katib writes it, with the Job in its specification."""
    metadata, spec = experiment["metadata"], experiment["spec"]
    template = spec["trialTemplate"]
    values = {item["name"]: _value(item, number) for item in spec["parameters"]}
    text = json.dumps(template["trialSpec"])
    for parameter in template["trialParameters"]:
        value = values.get(parameter["reference"], name)
        text = text.replace(f"${{trialParameters.{parameter['name']}}}", value)
    job = json.loads(text)
    job["metadata"] |= {"name": name, "namespace": metadata["namespace"]}
    labels = {**metadata["labels"], "katib.kubeflow.org/experiment": metadata["name"]}
    body = {
        "objective": {**spec["objective"], "metricStrategies": [{"name": "mse", "value": "min"}]},
        "parameterAssignments": [{"name": key, "value": value} for key, value in values.items()],
        "primaryContainerName": template["primaryContainerName"],
        "retainRun": True,
        "metricsCollector": spec["metricsCollectorSpec"],
        "runSpec": job,
    }
    return {
        "apiVersion": "kubeflow.org/v1beta1",
        "kind": "Trial",
        "metadata": {
            "name": name,
            "namespace": metadata["namespace"],
            "uid": f"00000000-0000-0000-0000-{number:012}",
            "resourceVersion": "1",
            "creationTimestamp": _time(number),
            "finalizers": ["clean-metrics-in-db"],
            "labels": labels,
            "ownerReferences": [{"kind": "Experiment", "name": metadata["name"]}],
            "managedFields": [{"fieldsV1": _managed_fields({"metadata": labels, "spec": body})}],
        },
        "spec": body,
        "status": trial_status(number, succeeded=succeeded),
    }


def trial_status(number: int, *, succeeded: bool) -> Manifest:
    """Return the status of a trial that runs or has succeeded."""
    conditions = [
        ("Created", "True", "TrialCreated", "Trial is created"),
        ("Running", "False" if succeeded else "True", "TrialRunning", "Trial is running"),
    ]
    status: Manifest = {"startTime": _time(number)}
    if succeeded:
        reason = "TrialSucceeded. Job reason: CompletionsReached"
        message = "Trial has succeeded. Job message: Reached expected number of succeeded pods"
        conditions.append(("Succeeded", "True", reason, message))
        mse = str(10 + (number * 7919 % 10007) / 997)
        metric = {"name": "mse", "min": mse, "max": mse, "latest": mse}
        status |= {
            "completionTime": _time(number, seconds=9),
            "observation": {"metrics": [metric]},
        }
    fields = ("type", "status", "reason", "message")
    status["conditions"] = [
        {
            **dict(zip(fields, condition, strict=True)),
            "lastTransitionTime": _time(number),
            "lastUpdateTime": _time(number),
        }
        for condition in conditions
    ]
    return status


def _experiment(experiment: Mapping[str, Any], trials: Sequence[Manifest]) -> Manifest:
    """Return the Experiment with the status that Katib writes."""
    ended = {
        item["metadata"]["name"]: item["status"]["observation"]
        for item in trials
        if "observation" in item["status"]
    }
    running = [item["metadata"]["name"] for item in trials if item["metadata"]["name"] not in ended]
    best = min(ended, key=lambda name: float(ended[name]["metrics"][0]["latest"]))
    end = "Running" if running else "Succeeded"
    status = {
        "conditions": [
            {"type": kind, "status": "True", "reason": f"Experiment{kind}"}
            for kind in dict.fromkeys(("Created", end))
        ],
        "trials": len(trials),
        "trialsSucceeded": len(ended),
        "trialsRunning": len(running),
        "succeededTrialList": list(ended),
        "runningTrialList": running,
        "currentOptimalTrial": {"bestTrialName": best, "observation": ended[best]},
        "startTime": _time(0),
    }
    metadata = {**experiment["metadata"], "creationTimestamp": _time(0), "resourceVersion": "1"}
    return {**copy.deepcopy(dict(experiment)), "metadata": metadata, "status": status}


def _job(item: Manifest) -> Manifest:
    succeeded = "observation" in item["status"]
    end = {"type": "Complete", "status": "True", "lastTransitionTime": _time(0)}
    status = {"succeeded": 1, "conditions": [end]} if succeeded else {"active": 1}
    job: Manifest = copy.deepcopy(item["spec"]["runSpec"])
    owner = {"kind": "Trial", "name": item["metadata"]["name"]}
    job["metadata"] |= {"uid": item["metadata"]["uid"], "ownerReferences": [owner]}
    return {**job, "status": status}


def _pod(job: Manifest) -> Manifest:
    template = job["spec"]["template"]
    metadata, name = template["metadata"], job["metadata"]["name"]
    trainer = template["spec"]["containers"][0]
    collector = {**trainer, "name": "metrics-logger-and-collector"}
    labels = {**metadata["labels"], "job-name": name, "katib.kubeflow.org/trial": name}
    running = {"running": {"startedAt": _time(0)}}
    ended = {"terminated": {"exitCode": 0, "finishedAt": _time(0)}}
    succeeded = "active" not in job["status"]
    return {
        "metadata": {
            "name": f"{name}-abcde",
            "namespace": job["metadata"]["namespace"],
            "uid": job["metadata"]["uid"],
            "resourceVersion": "1",
            "labels": labels,
            "ownerReferences": [{"kind": "Job", "name": name}],
        },
        "spec": {**template["spec"], "containers": [trainer, collector], "nodeName": "node"},
        "status": {
            "phase": "Succeeded" if succeeded else "Running",
            "containerStatuses": [
                {"name": item["name"], "state": ended if succeeded else running}
                for item in (trainer, collector)
            ],
        },
    }


def _value(parameter: Mapping[str, Any], number: int) -> str:
    feasible = parameter["feasibleSpace"]
    if "list" in feasible:
        return str(feasible["list"][number % len(feasible["list"])])
    low, high = float(feasible["min"]), float(feasible["max"])
    value = low + (high - low) * (number * 0.6180339887498949 % 1)
    return str(round(value)) if parameter["parameterType"] == "int" else repr(value)


def _managed_fields(value: object) -> object:
    """Return the fields of an object as Kubernetes records them, which is a third of its size."""
    if isinstance(value, dict):
        return {".": {}, **{f"f:{key}": _managed_fields(item) for key, item in value.items()}}
    return {}


def _time(number: int, *, seconds: int = 0) -> str:
    moment = _START + timedelta(seconds=10 * number + seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
