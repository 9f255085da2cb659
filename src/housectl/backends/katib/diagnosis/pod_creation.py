"""Why the cluster refuses to make a pod."""

import re
from collections.abc import Callable, Sequence

from housectl.backends.katib.diagnosis.cause import Cause, sentence
from housectl.backends.katib.katib_names import KATIB_NAMESPACE, webhook_pods
from housectl.kube.kubectl import KubectlTarget
from housectl.kube.objects.events import Event, latest_event

_CREATING = re.compile(
    r'^(?:\(combined from similar events\): )?Error creating: (?:pods "[^"]*" is forbidden: )?'
)
_Explained = Callable[[KubectlTarget, re.Match[str]], Cause]


def pod_creation_blocked(place: KubectlTarget, told: Sequence[Event]) -> Cause | None:
    """Return why no pod can be made, if none was made after the last refusal.

    Args:
        place: Where the pods should be.
        told: The events about what makes them.
    """
    event = latest_event(told, "FailedCreate", "SuccessfulCreate")
    if event is None or event.reason == "SuccessfulCreate":
        return None
    said = _CREATING.sub("", event.message)
    for pattern, explained in _KNOWN:
        if match := pattern.search(said):
            return explained(place, match)
    return Cause(
        message=sentence("no pod can be made for it", said),
        hint=place.kubectl("get events --field-selector reason=FailedCreate"),
    )


def _quota(place: KubectlTarget, match: re.Match[str]) -> Cause:
    return Cause(
        message=f"the quota {match['quota']} of the namespace {place.namespace} is used up "
        f"({match['numbers']}).",
        hint=place.kubectl(f"describe resourcequota {match['quota']}")
        + "   # fewer trials at a time need less: --workers 1; what each asks for stands under "
        "katib: in housectl.yaml",
    )


def _quota_needs(place: KubectlTarget, match: re.Match[str]) -> Cause:
    return Cause(
        message=f"the quota {match['quota']} of the namespace {place.namespace} wants every container "
        f"to say its {match['needs']}.",
        hint=place.kubectl(f"describe resourcequota {match['quota']}"),
    )


def _out_of_range(place: KubectlTarget, match: re.Match[str]) -> Cause:
    return Cause(
        message=f"the limit range of the namespace {place.namespace} forbids it: {match[0]}.",
        hint=f"{place.kubectl('describe limitrange')}   # then ask for what it allows: "
        "--trial-memory, and katib: in housectl.yaml",
    )


def _missing_service_account(place: KubectlTarget, match: re.Match[str]) -> Cause:
    account = match["account"]
    return Cause(
        message=f"the service account {account} is not in the namespace {place.namespace}.",
        hint=place.kubectl(f"create serviceaccount {account}"),
    )


def _pod_security_violation(place: KubectlTarget, match: re.Match[str]) -> Cause:
    return Cause(
        message=sentence(
            f"the namespace {place.namespace} allows only pods of the security level "
            f"{match['level']}",
            match["why"],
        ),
        hint=place.cluster_kubectl(
            f"label namespace {place.namespace} pod-security.kubernetes.io/enforce=baseline "
            "--overwrite"
        ),
    )


def _webhook_cert_untrusted(place: KubectlTarget, match: re.Match[str]) -> Cause:
    return Cause(
        message=sentence(
            f"no pod can be made, because the certificate of the webhook {match['hook']} is not "
            "trusted",
            match["why"],
        ),
        hint=place.cluster_kubectl(
            f"rollout restart deployment katib-controller -n {KATIB_NAMESPACE}"
        ),
    )


def _webhook_unreachable(place: KubectlTarget, match: re.Match[str]) -> Cause:
    return Cause(
        message=sentence(
            f"no pod can be made, because the webhook {match['hook']} does not answer",
            match["why"].rpartition('": ')[2],
        ),
        hint=webhook_pods(place),
    )


def _no_command(place: KubectlTarget, match: re.Match[str]) -> Cause:
    return Cause(
        message=f"Katib refuses its pod: the container has no command, and Katib cannot look it up in "
        f"the image {match['image']}.",
        hint=_jobs_template(place),
    )


def _no_primary_container(place: KubectlTarget, match: re.Match[str]) -> Cause:
    return Cause(
        message="Katib refuses its pod: no container is called "
        f"{match['name']}, as primaryContainerName says.",
        hint=_jobs_template(place),
    )


def _denied(place: KubectlTarget, match: re.Match[str]) -> Cause:
    return Cause(
        message=sentence(f"the webhook {match['hook']} refuses its pod", match["why"]),
        hint=place.kubectl("get events --field-selector reason=FailedCreate"),
    )


def _jobs_template(place: KubectlTarget) -> str:
    return f"{place.kubectl('get jobs -o yaml')}   # then correct trialTemplate, and submit it anew"


_KNOWN: Sequence[tuple[re.Pattern[str], _Explained]] = (
    (re.compile(r"exceeded quota: (?P<quota>[^,]+), (?P<numbers>.*)"), _quota),
    (re.compile(r"failed quota: (?P<quota>[^:]+): must specify (?P<needs>\S+)"), _quota_needs),
    (
        re.compile(r"(?:maximum|minimum) .* usage per \w+ is .*|.* limit to request ratio.*"),
        _out_of_range,
    ),
    (re.compile(r'serviceaccount "(?P<account>[^"]+)" not found'), _missing_service_account),
    (
        re.compile(r'violates PodSecurity "(?P<level>[^":]+)[^"]*": (?P<why>.*)'),
        _pod_security_violation,
    ),
    (
        re.compile(
            r'failed calling webhook "(?P<hook>[^"]+)".*(?P<why>x509: .*|unable to parse bytes.*)'
        ),
        _webhook_cert_untrusted,
    ),
    (re.compile(r'failed calling webhook "(?P<hook>[^"]+)": (?P<why>.*)'), _webhook_unreachable),
    (re.compile(r'Failed to parse image "(?P<image>[^"]+)"'), _no_command),
    (re.compile(r"Unable to find primary container (?P<name>\S+) in"), _no_primary_container),
    (
        re.compile(r'admission webhook "(?P<hook>[^"]+)" denied the request: (?P<why>.*)'),
        _denied,
    ),
)
