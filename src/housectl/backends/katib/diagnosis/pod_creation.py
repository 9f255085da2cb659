"""Why the cluster refuses to make a pod."""

import re
from collections.abc import Callable, Sequence

from housectl.backends.katib.diagnosis.cause import Cause, Place, sentence
from housectl.backends.katib.diagnosis.pod import newest
from housectl.backends.katib.katib_names import KATIB_NAMESPACE, webhook_pods
from housectl.kube.objects.events import Event

_CREATING = re.compile(
    r'^(?:\(combined from similar events\): )?Error creating: (?:pods "[^"]*" is forbidden: )?'
)
_Explained = Callable[[Place, re.Match[str]], Cause]


def refused(place: Place, told: Sequence[Event]) -> Cause | None:
    """Return why no pod can be made, if none was made after the last refusal.

    Args:
        place: Where the pods should be.
        told: The events about what makes them.
    """
    event = newest(told, "FailedCreate", "SuccessfulCreate")
    if event is None or event.reason == "SuccessfulCreate":
        return None
    said = _CREATING.sub("", event.message)
    for pattern, explained in _KNOWN:
        if match := pattern.search(said):
            return explained(place, match)
    return Cause(
        what=sentence("no pod can be made for it", said),
        cure=place.kubectl("get events --field-selector reason=FailedCreate"),
    )


def _quota(place: Place, match: re.Match[str]) -> Cause:
    return Cause(
        what=f"the quota {match['quota']} of the namespace {place.namespace} is used up "
        f"({match['numbers']}).",
        cure=place.kubectl(f"describe resourcequota {match['quota']}")
        + "   # fewer trials at a time need less: --workers 1; what each asks for stands under "
        "katib: in housectl.yaml",
    )


def _quota_needs(place: Place, match: re.Match[str]) -> Cause:
    return Cause(
        what=f"the quota {match['quota']} of the namespace {place.namespace} wants every container "
        f"to say its {match['needs']}.",
        cure=place.kubectl(f"describe resourcequota {match['quota']}"),
    )


def _out_of_range(place: Place, match: re.Match[str]) -> Cause:
    return Cause(
        what=f"the limit range of the namespace {place.namespace} forbids it: {match[0]}.",
        cure=f"{place.kubectl('describe limitrange')}   # then ask for what it allows: "
        "--trial-memory, and katib: in housectl.yaml",
    )


def _no_account(place: Place, match: re.Match[str]) -> Cause:
    account = match["account"]
    return Cause(
        what=f"the service account {account} is not in the namespace {place.namespace}.",
        cure=place.kubectl(f"create serviceaccount {account}"),
    )


def _insecure(place: Place, match: re.Match[str]) -> Cause:
    return Cause(
        what=sentence(
            f"the namespace {place.namespace} allows only pods of the security level "
            f"{match['level']}",
            match["why"],
        ),
        cure=place.cluster_kubectl(
            f"label namespace {place.namespace} pod-security.kubernetes.io/enforce=baseline "
            "--overwrite"
        ),
    )


def _untrusted(place: Place, match: re.Match[str]) -> Cause:
    return Cause(
        what=sentence(
            f"no pod can be made, because the certificate of the webhook {match['hook']} is not "
            "trusted",
            match["why"],
        ),
        cure=place.cluster_kubectl(
            f"rollout restart deployment katib-controller -n {KATIB_NAMESPACE}"
        ),
    )


def _unreachable(place: Place, match: re.Match[str]) -> Cause:
    return Cause(
        what=sentence(
            f"no pod can be made, because the webhook {match['hook']} does not answer",
            match["why"].rpartition('": ')[2],
        ),
        cure=webhook_pods(place),
    )


def _commandless(place: Place, match: re.Match[str]) -> Cause:
    return Cause(
        what=f"Katib refuses its pod: the container has no command, and Katib cannot look it up in "
        f"the image {match['image']}.",
        cure=_jobs_template(place),
    )


def _primaryless(place: Place, match: re.Match[str]) -> Cause:
    return Cause(
        what="Katib refuses its pod: no container is called "
        f"{match['name']}, as primaryContainerName says.",
        cure=_jobs_template(place),
    )


def _denied(place: Place, match: re.Match[str]) -> Cause:
    return Cause(
        what=sentence(f"the webhook {match['hook']} refuses its pod", match["why"]),
        cure=place.kubectl("get events --field-selector reason=FailedCreate"),
    )


def _jobs_template(place: Place) -> str:
    return f"{place.kubectl('get jobs -o yaml')}   # then correct trialTemplate, and submit it anew"


_KNOWN: Sequence[tuple[re.Pattern[str], _Explained]] = (
    (re.compile(r"exceeded quota: (?P<quota>[^,]+), (?P<numbers>.*)"), _quota),
    (re.compile(r"failed quota: (?P<quota>[^:]+): must specify (?P<needs>\S+)"), _quota_needs),
    (
        re.compile(r"(?:maximum|minimum) .* usage per \w+ is .*|.* limit to request ratio.*"),
        _out_of_range,
    ),
    (re.compile(r'serviceaccount "(?P<account>[^"]+)" not found'), _no_account),
    (re.compile(r'violates PodSecurity "(?P<level>[^":]+)[^"]*": (?P<why>.*)'), _insecure),
    (
        re.compile(
            r'failed calling webhook "(?P<hook>[^"]+)".*(?P<why>x509: .*|unable to parse bytes.*)'
        ),
        _untrusted,
    ),
    (re.compile(r'failed calling webhook "(?P<hook>[^"]+)": (?P<why>.*)'), _unreachable),
    (re.compile(r'Failed to parse image "(?P<image>[^"]+)"'), _commandless),
    (re.compile(r"Unable to find primary container (?P<name>\S+) in"), _primaryless),
    (
        re.compile(r'admission webhook "(?P<hook>[^"]+)" denied the request: (?P<why>.*)'),
        _denied,
    ),
)
