"""Why a pod has no node."""

import re
from collections.abc import Callable, Sequence
from datetime import timedelta

from housectl.backends.katib.diagnosis.cause import Cause, sentence
from housectl.backends.katib.diagnosis.pod import SeenPod, about, newest
from housectl.kube.objects.base import ObjectMeta
from housectl.kube.objects.events import Event

# A claim is bound, and room is made, some time after a pod asks for them.
_PATIENCE = timedelta(seconds=10)
_REASONS = re.compile(r"nodes are available: (?P<reasons>.*?)(?:\. |\.?$)", re.DOTALL)
_Known = tuple[re.Pattern[str], Callable[[SeenPod, re.Match[str], str], Cause]]


def unscheduled(seen: SeenPod) -> Cause | None:
    """Return why no node takes the pod; what may pass by itself is no cause for some seconds."""
    condition = seen.condition("PodScheduled")
    if condition is None or condition.holds or not condition.message:
        return None
    known = _LASTING if seen.age < _PATIENCE else (*_LASTING, *_PASSING)
    return _explained(seen, condition.message, known)


def was_unscheduled(seen: SeenPod) -> Cause | None:
    """Return why no node has taken the pod, from the events about it."""
    event = seen.told("FailedScheduling", "Scheduled")
    if event is None or event.reason == "Scheduled":
        return None
    return _explained(seen, event.message, (*_LASTING, *_PASSING))


def _explained(seen: SeenPod, message: str, known: Sequence[_Known]) -> Cause | None:
    """Return the cause of the first of the known patterns that the scheduler's reasons show."""
    match = _REASONS.search(message)
    reasons = match["reasons"] if match else message
    found = ((pattern.search(reasons), explained) for pattern, explained in known)
    return next((explained(seen, shown, reasons) for shown, explained in found if shown), None)


def _lacks(seen: SeenPod, known: re.Match[str], reasons: str) -> Cause:
    resource = known["resource"]
    containers = seen.pod.spec.containers
    asked = containers[0].resources.requests.get(resource) if containers else None
    asks = f"it asks for {asked}, and no node has that free" if asked else "no node has enough free"
    return Cause(
        what=f"it waits for {resource}: {asks} ({reasons}).",
        cure=f"{seen.place.cluster_kubectl('describe nodes')}   # shows what is free; "
        f"{seen.origin.resources}",
    )


def _no_claim(seen: SeenPod, known: re.Match[str], reasons: str) -> Cause:
    del reasons
    claim, namespace = known["claim"], seen.place.namespace
    return Cause(
        what=f"it waits for the claim {claim}, which is not in the namespace {namespace}.",
        cure=f"{seen.place.kubectl('get pvc')}   # then name one of these with --claim, or make "
        f"{claim}",
    )


def _unbound_claim(seen: SeenPod, known: re.Match[str], reasons: str) -> Cause:
    del known, reasons
    claims = seen.claims
    told = [event for claim in claims if (event := _told_of_claim(seen.events, claim))]
    unbound = told[0].involved_object.name if told else " or ".join(claims)
    return Cause(
        what=sentence(
            f"it waits for the claim {unbound}, which has no volume yet",
            told[0].message if told else "",
        ),
        cure=f"{seen.place.kubectl(f'describe pvc {unbound}' if told else 'describe pvc')}"
        "   # kubectl get storageclass lists what can provide one",
    )


def _volume_elsewhere(seen: SeenPod, known: re.Match[str], reasons: str) -> Cause:
    del known
    claims = " or ".join(seen.claims)
    volume = f"the volume of the claim {claims}" if claims else "its volume"
    return Cause(
        what=f"it has to run where {volume} is, and no such node takes it ({reasons}).",
        cure=f"{seen.place.cluster_kubectl('describe nodes')}   # shows what is free; fewer trials "
        "at a time need less: --workers 1; a claim with ReadWriteMany lets all nodes run them: "
        "--claim",
    )


def _told_of_claim(events: Sequence[Event], claim: str) -> Event | None:
    return newest(
        about(events, "PersistentVolumeClaim", ObjectMeta(name=claim)),
        "ProvisioningFailed",
        "FailedBinding",
        "FailedScheduling",
    )


def _no_match(seen: SeenPod, known: re.Match[str], reasons: str) -> Cause:
    del known
    labels = ", ".join(f"{key}={value}" for key, value in seen.pod.spec.node_selector.items())
    wanted = f" {labels}" if labels else ""
    return Cause(
        what=f"no node has the labels{wanted} that it selects nodes by ({reasons}).",
        cure=seen.place.cluster_kubectl("get nodes --show-labels"),
    )


def _tainted(seen: SeenPod, known: re.Match[str], reasons: str) -> Cause:
    del known
    return Cause(
        what=f"every node has a taint that it does not tolerate ({reasons}).",
        cure=f"{seen.place.cluster_kubectl('describe nodes')}   # shows them; one is taken away by "
        "kubectl taint nodes NODE KEY-",
    )


def _untaken(seen: SeenPod, known: re.Match[str], reasons: str) -> Cause:
    del known
    return Cause(what=sentence("no node takes it", reasons), cure=seen.describe)


_LASTING: Sequence[_Known] = (
    (re.compile(r'persistentvolumeclaim "(?P<claim>[^"]+)" not found'), _no_claim),
)
# Where the volume is decides which node could help, so that comes before what each node lacks.
_PASSING: Sequence[_Known] = (
    (
        re.compile(r"volume node affinity conflict|didn't match PersistentVolume's node affinity"),
        _volume_elsewhere,
    ),
    (re.compile(r"unbound immediate PersistentVolumeClaims"), _unbound_claim),
    (re.compile(r"Insufficient (?P<resource>\S+?)(?:,|$)"), _lacks),
    (re.compile(r"didn't match Pod's node affinity"), _no_match),
    (re.compile(r"untolerated taint"), _tainted),
    (re.compile(""), _untaken),
)
