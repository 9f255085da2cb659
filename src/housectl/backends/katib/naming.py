"""Where things lie on the claim, and what objects are called and labelled. Pure."""

from collections.abc import Mapping

MOUNT = "/mnt/models"
NAME_LABEL = "app.kubernetes.io/name"
INSTANCE_LABEL = "app.kubernetes.io/instance"
COMPONENT_LABEL = "app.kubernetes.io/component"
MANAGER_LABEL = "app.kubernetes.io/managed-by"
FAMILY_LABEL = "housectl/family"
GENERATION_LABEL = "housectl/round"
PLAN_ANNOTATION = "housectl/plan"
STOPPED_ANNOTATION = "housectl/stopped"
EXPERIMENT_LABEL = "katib.kubeflow.org/experiment"
TRIAL_LABEL = "katib.kubeflow.org/trial"
# Kubernetes' own, which pods have also where Katib's webhook missed them.
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
    """Return the labels of a pod of ours.

    Istio's proxy would never end beside it, so that neither would the pod; Katib's own pods say the
    same.
    """
    return {**labels(name, component), "sidecar.istio.io/inject": "false"}


def selector_of_all(component: str) -> str:
    """Return the label selector for all of our objects of a kind."""
    return selector({COMPONENT_LABEL: component, MANAGER_LABEL: "housectl"})


def selector(wanted: Mapping[str, str]) -> str:
    """Return the label selector for objects with these labels."""
    return ",".join(f"{name}={value}" for name, value in wanted.items())


def inputs_path(digest: str) -> str:
    """Return where an inputs directory lies on the claim, below its mount."""
    return f"inputs/{digest}"


def inputs_annotation(digest: str) -> str:
    """Return the annotation of a PVC that has the inputs with this digest."""
    return f"housectl/inputs-{digest[:40]}"


def work_path(name: str) -> str:
    """Return where the files of an experiment or a task lie on the claim, below its mount."""
    return f"work/{name}"


def output_path(name: str, trial: str | None) -> str:
    """Return where a trial, or a task, writes its output on the claim, below its mount."""
    return f"{work_path(name)}/{trial or 'output'}"


def mounted(path: str) -> str:
    """Return a path of the claim as a container sees it."""
    return f"{MOUNT}/{path}"
