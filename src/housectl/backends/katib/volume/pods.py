"""Pods that mount the PVC, each for the duration of one transfer or check."""

import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from housectl.backends.katib.diagnosis.cause import first_cause
from housectl.backends.katib.diagnosis.image import is_pulling
from housectl.backends.katib.diagnosis.pod import POD_PROBES
from housectl.backends.katib.diagnosis.pod_context import DeletedPodContext, PodContext
from housectl.backends.katib.labels_and_paths import (
    VOLUME,
    component_selector,
    pod_labels,
    selector,
)
from housectl.backends.katib.plan.pod_spec import CONTAINER, Manifest, container, pod_spec
from housectl.errors import PodError
from housectl.kube.client import Kube
from housectl.kube.errors import ListExpiredError
from housectl.kube.kinds import EVENTS, PODS
from housectl.kube.kubectl import KubectlTarget
from housectl.kube.objects.base import parse
from housectl.kube.objects.events import Event
from housectl.kube.objects.pods import Pod

# If this process is killed, the pod ends by itself.
_LIFETIME_SECONDS = 900
# Reasons of a container whose image was pulled but has no such command.
_PULLED = {"CreateContainerError", "RunContainerError"}


@dataclass(frozen=True, kw_only=True)
class VolumePods:
    """Pods that only mount the PVC and wait for commands.

    Attributes:
        image: The trainer's image, which nodes have already.
        timeout: Seconds in which a pod has to start; a new volume may take a minute.
    """

    kube: Kube
    pvc: str
    image: str
    timeout: int = 120

    @contextmanager
    def running(self, *, read_only: bool, extra_images: Sequence[str] = ()) -> Iterator[str]:
        """Run a pod while the context is open; yield its name.

        Args:
            read_only: True to mount the PVC read-only.
            extra_images: Other images that the pod's node has to pull; they need not run.

        Raises:
            PodError: The pod does not start.
        """
        name = f"housectl-volume-{secrets.token_hex(4)}"
        self._delete_leftovers()
        try:
            manifest = self._manifest(name, extra_images, read_only=read_only)
            created = self.kube.create(PODS, manifest)
            self._wait_until_running(parse(Pod, created))
            yield name
        finally:
            self.kube.delete(PODS, name)

    def _delete_leftovers(self) -> None:
        """Delete the ended pods of killed commands."""
        for pod in self.kube.list_as(PODS, Pod, labels=component_selector(VOLUME)):
            if pod.status.phase in {"Succeeded", "Failed"}:
                self.kube.delete(PODS, pod.metadata.name)

    def _wait_until_running(self, pod: Pod) -> None:
        """Wait until a pod runs: until the timeout, or longer while an image is pulled."""
        deadline = time.monotonic() + self.timeout
        while not is_running(pod := self._watch(pod)):
            # Some causes depend on time alone, without a change of the pod.
            context = self._check(pod)
            if time.monotonic() >= deadline and not is_pulling(context):
                raise PodError(
                    f"The pod for PVC {self.pvc} did not start within {self.timeout} s.",
                    hint=context.describe_command,
                )

    def _watch(self, pod: Pod) -> Pod:
        """Return a pod as soon as it runs, or at the end of the watch."""
        labels = selector({"housectl/pod": pod.metadata.name})
        since = pod.metadata.resource_version
        with suppress(ListExpiredError):
            for event in self.kube.watch(
                PODS, Pod, labels=labels, since=since, seconds=self.timeout
            ):
                if event.type == "BOOKMARK":
                    continue
                pod = event.object
                if is_running(pod):
                    return pod
                self._check(pod)
        return self.kube.get(PODS, pod.metadata.name, Pod)

    def _check(self, pod: Pod) -> PodContext:
        """Return a pod with its events.

        Raises:
            PodError: There is a cause that prevents the pod from starting.
        """
        context = self._context(pod)
        cause = first_cause(POD_PROBES, context)
        if cause is not None:
            raise PodError(f"The pod for PVC {self.pvc}: {cause.message}", hint=cause.hint)
        return context

    def _context(self, pod: Pod) -> PodContext:
        target = KubectlTarget(namespace=self.kube.namespace, context=self.kube.context)
        events = self.kube.list_as(EVENTS, Event, fields=f"involvedObject.name={pod.metadata.name}")
        return DeletedPodContext(target=target, pod=pod, events=events, now=datetime.now(UTC))

    def _manifest(self, name: str, extra_images: Sequence[str], *, read_only: bool) -> Manifest:
        trainer = _sleeping_container(self.image, read_only=read_only)
        extra_containers = [
            {**_sleeping_container(image, read_only=read_only), "name": f"extra-{number}"}
            for number, image in enumerate(extra_images)
        ]
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": name,
                "labels": {**pod_labels(name, VOLUME), "housectl/pod": name},
            },
            "spec": {
                **pod_spec(trainer, pvc=self.pvc, read_only=read_only),
                "containers": [trainer, *extra_containers],
                "activeDeadlineSeconds": _LIFETIME_SECONDS,
                "terminationGracePeriodSeconds": 0,
            },
        }


def _sleeping_container(image: str, *, read_only: bool) -> Manifest:
    return container(
        image,
        ["sleep", str(_LIFETIME_SECONDS)],
        requests={"cpu": "10m", "memory": "32Mi"},
        limits={"cpu": "1", "memory": "256Mi"},
        read_only=read_only,
    )


def is_running(pod: Pod) -> bool:
    """Return True if the trainer's container runs and the extra images were pulled."""
    states = {status.name: status.state for status in pod.status.container_statuses}
    trainer = states.pop(CONTAINER, None)
    waiting = [state.waiting for state in states.values() if state.waiting]
    pulled = all(item.reason in _PULLED for item in waiting)
    return trainer is not None and trainer.running is not None and pulled
