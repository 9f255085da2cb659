"""Causes of pods without a node, from the PodScheduled condition and FailedScheduling events."""

import re
from collections.abc import Callable, Sequence
from datetime import timedelta

from housectl.backends.katib.diagnosis.cause import Cause, sentence
from housectl.backends.katib.diagnosis.pod_context import PodContext
from housectl.kube.objects.base import ObjectMeta
from housectl.kube.objects.events import Event, events_about, latest_event

# A PVC is bound, and a node is freed, a few seconds after a pod needs them.
_GRACE_TIME = timedelta(seconds=10)
_REASONS = re.compile(r"nodes are available: (?P<reasons>.*?)(?:\. |\.?$)", re.DOTALL)
_INSUFFICIENT = re.compile(r"Insufficient (\S+?)(?=,|$)")
_Rule = tuple[re.Pattern[str], Callable[[PodContext, re.Match[str], str], Cause]]


def unschedulable(context: PodContext) -> Cause | None:
    """Return the cause of an unscheduled pod; transient conditions count after a grace time."""
    condition = context.condition("PodScheduled")
    if condition is None or condition.is_true or not condition.message:
        return None
    rules = _PERMANENT if context.age < _GRACE_TIME else (*_PERMANENT, *_TRANSIENT)
    return _apply_rules(context, condition.message, rules)


def unschedulable_from_events(context: PodContext) -> Cause | None:
    """Return the cause of a pod that was never scheduled, from its events."""
    event = context.latest_event("FailedScheduling", "Scheduled")
    if event is None or event.reason == "Scheduled":
        return None
    return _apply_rules(context, event.message, (*_PERMANENT, *_TRANSIENT))


def _apply_rules(context: PodContext, message: str, rules: Sequence[_Rule]) -> Cause | None:
    """Return the cause from the first rule that matches the scheduler's reasons."""
    match = _REASONS.search(message)
    reasons = match["reasons"] if match else message
    for pattern, make_cause in rules:
        if found := pattern.search(reasons):
            return make_cause(context, found, reasons)
    return None


def _insufficient_resources(context: PodContext, match: re.Match[str], reasons: str) -> Cause:
    del match
    resources = _INSUFFICIENT.findall(reasons)
    containers = context.pod.spec.containers
    requests = containers[0].resources.requests if containers else {}
    requested = " and ".join(requests[each] for each in resources if each in requests)
    detail = f": its pod requests {requested}" if requested else ""
    return Cause(
        message=f"no node has enough free {' and '.join(resources)}{detail} ({reasons}).",
        hint=f"{context.target.cluster_kubectl('describe nodes')}   # shows free resources; "
        f"{context.config_source.resources_hint}",
        is_temporary=True,
    )


def _missing_pvc(context: PodContext, match: re.Match[str], reasons: str) -> Cause:
    del reasons
    return Cause(
        message=f"the PVC {match['pvc']} is missing in the namespace {context.target.namespace}.",
        hint=f"{context.target.kubectl('get pvc')}   # then pass one of them with --pvc, or create "
        f"{match['pvc']}",
    )


def _unbound_pvc(context: PodContext, match: re.Match[str], reasons: str) -> Cause:
    del match, reasons
    event = next(
        (event for pvc in context.pvcs if (event := _pvc_event(context.events, pvc))), None
    )
    pvc = event.involved_object.name if event else " or ".join(context.pvcs)
    describe = context.target.kubectl(f"describe pvc {pvc}" if event else "describe pvc")
    return Cause(
        message=sentence(f"the PVC {pvc} has no volume yet", event.message if event else ""),
        hint=f"{describe}   # kubectl get storageclass lists the available storage classes",
    )


def _volume_on_other_node(context: PodContext, match: re.Match[str], reasons: str) -> Cause:
    del match
    pvcs = " or ".join(context.pvcs)
    volume = f"the volume of the PVC {pvcs}" if pvcs else "its volume"
    return Cause(
        message=f"no node with access to {volume} can run its pod ({reasons}).",
        hint=f"{context.target.cluster_kubectl('describe nodes')}   # shows free resources; "
        "--workers 1 runs one trial at a time; a ReadWriteMany PVC (--pvc) lets all nodes run "
        "trials",
    )


def _pvc_event(events: Sequence[Event], pvc: str) -> Event | None:
    return latest_event(
        events_about(events, "PersistentVolumeClaim", ObjectMeta(name=pvc)),
        "ProvisioningFailed",
        "FailedBinding",
        "FailedScheduling",
    )


def _no_matching_node(context: PodContext, match: re.Match[str], reasons: str) -> Cause:
    del match
    labels = [f"{key}={value}" for key, value in context.pod.spec.node_selector.items()]
    requirement = f"has the labels {', '.join(labels)}" if labels else "matches its node affinity"
    return Cause(
        message=f"no node {requirement} ({reasons}).",
        hint=context.target.cluster_kubectl("get nodes --show-labels"),
    )


def _untolerated_taint(context: PodContext, match: re.Match[str], reasons: str) -> Cause:
    del match
    return Cause(
        message=f"every node has a taint that its pod does not tolerate ({reasons}).",
        hint=f"{context.target.cluster_kubectl('describe nodes')}   # shows the taints; remove one "
        "with kubectl taint nodes NODE KEY-",
    )


def _no_node_fits(context: PodContext, match: re.Match[str], reasons: str) -> Cause:
    del match
    return Cause(
        message=sentence("no node can run its pod", reasons), hint=context.describe_command
    )


_PERMANENT: Sequence[_Rule] = (
    (re.compile(r'persistentvolumeclaim "(?P<pvc>[^"]+)" not found'), _missing_pvc),
)
# The location of the volume limits the candidate nodes, so it comes before their other problems.
_TRANSIENT: Sequence[_Rule] = (
    (
        re.compile(r"volume node affinity conflict|didn't match PersistentVolume's node affinity"),
        _volume_on_other_node,
    ),
    (re.compile(r"unbound immediate PersistentVolumeClaims"), _unbound_pvc),
    (_INSUFFICIENT, _insufficient_resources),
    (re.compile(r"didn't match Pod's node affinity"), _no_matching_node),
    (re.compile(r"untolerated taint"), _untolerated_taint),
    (re.compile(""), _no_node_fits),
)
