"""What the trainer said in a pod."""

from collections.abc import Iterator

from housectl.backends.katib.containers import CONTAINER
from housectl.backends.katib.layout import TASK, TRIAL_LABEL, labels, selector
from housectl.backends.kube.client import Kube
from housectl.backends.kube.kinds import PODS
from housectl.diagnosis.attempt import COLLECTORS
from housectl.diagnosis.collector import trainer_lines
from housectl.diagnosis.objects import Pod
from housectl.errors import DeniedError


def trial_log(kube: Kube, trial: str) -> Iterator[str]:
    """Yield a trial's lines, which Katib's collector repeats with words of its own before them."""
    for pod in kube.views(PODS, Pod, labels=f"{TRIAL_LABEL}={trial}"):
        collectors = [each.name for each in pod.spec.containers if each.name in COLLECTORS]
        for collector in collectors:
            yield from trainer_lines(_log(kube, pod, collector))
        if not collectors:
            yield from _log(kube, pod, CONTAINER).splitlines()


def task_log(kube: Kube, name: str) -> Iterator[str]:
    """Yield a task's lines."""
    for pod in kube.views(PODS, Pod, labels=selector(labels(name, TASK))):
        yield from _log(kube, pod, CONTAINER).splitlines()


def _log(kube: Kube, pod: Pod, container: str) -> str:
    try:
        return kube.log(pod.metadata.name, container)
    except DeniedError:
        # The container has not started, so it has said nothing.
        return ""
