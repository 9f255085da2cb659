"""Labels and annotations of objects, and paths on the PVC. Pure."""

from collections.abc import Mapping

from housectl.contract.path_names import checked_digest, checked_name

MOUNT, WORK = "/mnt/models", "work"
NAME_LABEL = "app.kubernetes.io/name"
INSTANCE_LABEL = "app.kubernetes.io/instance"
COMPONENT_LABEL = "app.kubernetes.io/component"
MANAGER_LABEL = "app.kubernetes.io/managed-by"
FAMILY_LABEL = "housectl/family"
GENERATION_LABEL = "housectl/generation"
PLAN_ANNOTATION = "housectl/plan"
# The names of experiments are too long for the part of a key after `housectl/`.
WORK_PREFIX = "work.housectl/"
STOPPED_ANNOTATION = "housectl/stopped"
EXPERIMENT_LABEL = "katib.kubeflow.org/experiment"
TRIAL_LABEL = "katib.kubeflow.org/trial"
# Kubernetes sets this label, also on pods that Katib's webhook missed.
JOB_LABEL = "job-name"

EXPERIMENT, TRIAL, TASK, VOLUME = "experiment", "trial", "task", "volume"


def labels(name: str, component: str) -> dict[str, str]:
    """Return the labels of an object that belongs to an experiment or task."""
    return {
        NAME_LABEL: "housectl",
        INSTANCE_LABEL: name,
        COMPONENT_LABEL: component,
        MANAGER_LABEL: "housectl",
    }


def pod_labels(name: str, component: str) -> dict[str, str]:
    """Return the labels of a pod that housectl creates.

    They keep out Istio's proxy, which never ends, so that the pod would not end either. Katib's own
    pods have the same label.
    """
    return {**labels(name, component), "sidecar.istio.io/inject": "false"}


def owned_selector(name: str) -> str:
    """Return the label selector for all labelled objects of an experiment or task."""
    return selector({INSTANCE_LABEL: name, MANAGER_LABEL: "housectl"})


def component_selector(component: str) -> str:
    """Return the label selector for all objects of a component, of every experiment."""
    return selector({COMPONENT_LABEL: component, MANAGER_LABEL: "housectl"})


def selector(labels: Mapping[str, str]) -> str:
    """Return the label selector for objects with these labels."""
    return ",".join(f"{name}={value}" for name, value in labels.items())


def inputs_path(digest: str) -> str:
    """Return the path of an inputs directory on the PVC, below its mount."""
    return f"inputs/{checked_digest(digest)}"


def inputs_annotation(digest: str) -> str:
    """Return the annotation of a PVC that has the inputs with this digest."""
    return f"housectl/inputs-{digest[:40]}"


def work_path(name: str) -> str:
    """Return the path of an experiment's or a task's files on the PVC, below its mount."""
    return f"{WORK}/{checked_name(name)}"


def output_path(name: str, trial: str | None) -> str:
    """Return the path of the output of a trial or a task on the PVC, below its mount."""
    return f"{work_path(name)}/{trial or 'output'}"


def mounted(path: str) -> str:
    """Return the path of a file of the PVC in a container."""
    return f"{MOUNT}/{path}"
