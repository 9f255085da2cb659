"""Why a pod has no node."""

import re
from collections.abc import Callable, Sequence
from datetime import timedelta

from housectl.backends.katib.diagnosis.cause import Cause, sentence
from housectl.backends.katib.diagnosis.pod_context import PodContext
from housectl.kube.objects.base import ObjectMeta
from housectl.kube.objects.events import Event, events_about, latest_event

# A claim is bound, and room is made, some time after a pod asks for them.
_PATIENCE = timedelta(seconds=10)
_REASONS = re.compile(r"nodes are available: (?P<reasons>.*?)(?:\. |\.?$)", re.DOTALL)
_Known = tuple[re.Pattern[str], Callable[[PodContext, re.Match[str], str], Cause]]


def unschedulable(seen: PodContext) -> Cause | None:
    """Return why no node takes the pod; what may pass by itself is no cause for some seconds."""
    condition = seen.condition("PodScheduled")
    if condition is None or condition.is_true or not condition.message:
        return None
    known = _LASTING if seen.age < _PATIENCE else (*_LASTING, *_PASSING)
    return _explained(seen, condition.message, known)


def unschedulable_from_events(seen: PodContext) -> Cause | None:
    """Return why no node has taken the pod, from the events about it."""
    event = seen.latest_event("FailedScheduling", "Scheduled")
    if event is None or event.reason == "Scheduled":
        return None
    return _explained(seen, event.message, (*_LASTING, *_PASSING))


def _explained(seen: PodContext, message: str, known: Sequence[_Known]) -> Cause | None:
    """Return the cause of the first of the known patterns that the scheduler's reasons show."""
    match = _REASONS.search(message)
    reasons = match["reasons"] if match else message
    found = ((pattern.search(reasons), explained) for pattern, explained in known)
    return next((explained(seen, shown, reasons) for shown, explained in found if shown), None)


def _lacks(seen: PodContext, known: re.Match[str], reasons: str) -> Cause:
    resource = known["resource"]
    containers = seen.pod.spec.containers
    asked = containers[0].resources.requests.get(resource) if containers else None
    asks = f"it asks for {asked}, and no node has that free" if asked else "no node has enough free"
    return Cause(
        message=f"it waits for {resource}: {asks} ({reasons}).",
        hint=f"{seen.target.cluster_kubectl('describe nodes')}   # shows what is free; "
        f"{seen.config_source.resources_hint}",
    )


def _missing_pvc(seen: PodContext, known: re.Match[str], reasons: str) -> Cause:
    del reasons
    claim, namespace = known["claim"], seen.target.namespace
    return Cause(
        message=f"it waits for the claim {claim}, which is not in the namespace {namespace}.",
        hint=f"{seen.target.kubectl('get pvc')}   # then name one of these with --pvc, or make "
        f"{claim}",
    )


def _unbound_pvc(seen: PodContext, known: re.Match[str], reasons: str) -> Cause:
    del known, reasons
    claims = seen.pvcs
    told = [event for claim in claims if (event := _pvc_event(seen.events, claim))]
    unbound = told[0].involved_object.name if told else " or ".join(claims)
    return Cause(
        message=sentence(
            f"it waits for the claim {unbound}, which has no volume yet",
            told[0].message if told else "",
        ),
        hint=f"{seen.target.kubectl(f'describe pvc {unbound}' if told else 'describe pvc')}"
        "   # kubectl get storageclass lists what can provide one",
    )


def _volume_elsewhere(seen: PodContext, known: re.Match[str], reasons: str) -> Cause:
    del known
    claims = " or ".join(seen.pvcs)
    volume = f"the volume of the claim {claims}" if claims else "its volume"
    return Cause(
        message=f"it has to run where {volume} is, and no such node takes it ({reasons}).",
        hint=f"{seen.target.cluster_kubectl('describe nodes')}   # shows what is free; fewer trials "
        "at a time need less: --workers 1; a claim with ReadWriteMany lets all nodes run them: "
        "--pvc",
    )


def _pvc_event(events: Sequence[Event], claim: str) -> Event | None:
    return latest_event(
        events_about(events, "PersistentVolumeClaim", ObjectMeta(name=claim)),
        "ProvisioningFailed",
        "FailedBinding",
        "FailedScheduling",
    )


def _no_match(seen: PodContext, known: re.Match[str], reasons: str) -> Cause:
    del known
    labels = ", ".join(f"{key}={value}" for key, value in seen.pod.spec.node_selector.items())
    wanted = f" {labels}" if labels else ""
    return Cause(
        message=f"no node has the labels{wanted} that it selects nodes by ({reasons}).",
        hint=seen.target.cluster_kubectl("get nodes --show-labels"),
    )


def _tainted(seen: PodContext, known: re.Match[str], reasons: str) -> Cause:
    del known
    return Cause(
        message=f"every node has a taint that it does not tolerate ({reasons}).",
        hint=f"{seen.target.cluster_kubectl('describe nodes')}   # shows them; one is taken away by "
        "kubectl taint nodes NODE KEY-",
    )


def _no_node_fits(seen: PodContext, known: re.Match[str], reasons: str) -> Cause:
    del known
    return Cause(message=sentence("no node takes it", reasons), hint=seen.describe_command)


_LASTING: Sequence[_Known] = (
    (re.compile(r'persistentvolumeclaim "(?P<claim>[^"]+)" not found'), _missing_pvc),
)
# Where the volume is decides which node could help, so that comes before what each node lacks.
_PASSING: Sequence[_Known] = (
    (
        re.compile(r"volume node affinity conflict|didn't match PersistentVolume's node affinity"),
        _volume_elsewhere,
    ),
    (re.compile(r"unbound immediate PersistentVolumeClaims"), _unbound_pvc),
    (re.compile(r"Insufficient (?P<resource>\S+?)(?:,|$)"), _lacks),
    (re.compile(r"didn't match Pod's node affinity"), _no_match),
    (re.compile(r"untolerated taint"), _tainted),
    (re.compile(""), _no_node_fits),
)
