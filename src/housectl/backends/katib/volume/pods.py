"""The pods that reach the claim: each lives as long as somebody needs it."""

import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from housectl.backends.katib.diagnosis.cause import first_cause
from housectl.backends.katib.diagnosis.image import is_pulling
from housectl.backends.katib.diagnosis.pod import POD_PROBES
from housectl.backends.katib.diagnosis.pod_context import DeletedPodContext, PodContext
from housectl.backends.katib.naming import VOLUME, pod_labels, selector, selector_of_all
from housectl.backends.katib.plan.pod_spec import CONTAINER, Manifest, container, pod_spec
from housectl.errors import PodError
from housectl.kube.client import Kube
from housectl.kube.kinds import EVENTS, PODS
from housectl.kube.kubectl import KubectlTarget
from housectl.kube.objects.base import parse
from housectl.kube.objects.events import Event
from housectl.kube.objects.pods import Pod

# A pod that nobody deletes, as this process was killed, ends by itself.
_LIFETIME_SECONDS = 900
# What Kubernetes says for a moment of a container whose image has no such command.
_UNSTARTABLE = {"CreateContainerError", "RunContainerError"}


@dataclass(frozen=True, kw_only=True)
class VolumePods:
    """Pods that do nothing but have the claim mounted.

    Attributes:
        image: What they run: the trainer's image, which nodes have already.
        patience: Seconds in which a pod has to start; a new volume may take a minute.
    """

    kube: Kube
    pvc: str
    image: str
    timeout: int = 120

    @contextmanager
    def running(self, *, read_only: bool, extra_images: Sequence[str] = ()) -> Iterator[str]:
        """Run a pod as long as the context lasts; yields its name.

        Args:
            read_only: Whether it may only read the claim.
            beside: Other images that its node has to get; whether they can run is of no account.

        Raises:
            PodError: It does not start.
        """
        name = f"housectl-volume-{secrets.token_hex(4)}"
        self._sweep()
        try:
            manifest = self._manifest(name, extra_images, read_only=read_only)
            created = self.kube.create(PODS, manifest)
            self._wait(parse(Pod, created))
            yield name
        finally:
            self.kube.delete(PODS, name)

    def _sweep(self) -> None:
        """Delete the pods that commands left when they were killed, once they have ended."""
        for pod in self.kube.list_as(PODS, Pod, labels=selector_of_all(VOLUME)):
            if pod.status.phase in {"Succeeded", "Failed"}:
                self.kube.delete(PODS, pod.metadata.name)

    def _wait(self, pod: Pod) -> None:
        """Wait until a pod runs: for as long as patience lasts, or its image is on its way."""
        deadline = time.monotonic() + self.timeout
        while not runs(pod := self._follow(pod)):
            # Some causes show by time alone, with no change.
            seen = self._check(pod)
            if time.monotonic() >= deadline and not is_pulling(seen):
                raise PodError(
                    f"The pod that reaches the claim {self.pvc} has not started in "
                    f"{self.timeout} s.",
                    hint=seen.describe_command,
                )

    def _follow(self, pod: Pod) -> Pod:
        """Return a pod as it is when it runs, or when the watch ends."""
        mine = selector({"housectl/pod": pod.metadata.name})
        since = pod.metadata.resource_version
        for change in self.kube.watch(PODS, labels=mine, since=since, seconds=self.timeout):
            if change.type in {"BOOKMARK", "ERROR"}:
                continue
            pod = parse(Pod, change.object)
            if runs(pod):
                return pod
            self._check(pod)
        return self.kube.get(PODS, pod.metadata.name, Pod)

    def _check(self, pod: Pod) -> PodContext:
        """Return a pod with the events about it, if nothing keeps it from starting."""
        seen = self._seen(pod)
        cause = first_cause(POD_PROBES, seen)
        if cause is not None:
            raise PodError(f"The pod that reaches the claim: {cause.message}", hint=cause.hint)
        return seen

    def _seen(self, pod: Pod) -> PodContext:
        place = KubectlTarget(namespace=self.kube.namespace, context=self.kube.context)
        events = self.kube.list_as(EVENTS, Event, fields=f"involvedObject.name={pod.metadata.name}")
        return DeletedPodContext(target=place, pod=pod, events=events, now=datetime.now(UTC))

    def _manifest(self, name: str, beside: Sequence[str], *, read_only: bool) -> Manifest:
        trainer = _sleeping(self.image, read_only=read_only)
        others = [
            {**_sleeping(image, read_only=read_only), "name": f"beside-{number}"}
            for number, image in enumerate(beside)
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
                "containers": [trainer, *others],
                "activeDeadlineSeconds": _LIFETIME_SECONDS,
                "terminationGracePeriodSeconds": 0,
            },
        }


def _sleeping(image: str, *, read_only: bool) -> Manifest:
    return container(
        image,
        ["sleep", str(_LIFETIME_SECONDS)],
        requests={"cpu": "10m", "memory": "32Mi"},
        limits={"cpu": "1", "memory": "256Mi"},
        read_only=read_only,
    )


def runs(pod: Pod) -> bool:
    """Return whether the trainer runs and the images beside it have come."""
    states = {status.name: status.state for status in pod.status.container_statuses}
    trainer = states.pop(CONTAINER, None)
    awaited = (state.waiting for state in states.values())
    coming = any(waiting and waiting.reason not in _UNSTARTABLE for waiting in awaited)
    return trainer is not None and trainer.running is not None and not coming
