"""Causes of rejected pods, from the FailedCreate events of their controller."""

import re
from collections.abc import Callable, Sequence

from housectl.backends.katib.diagnosis.cause import Cause, sentence
from housectl.backends.katib.katib_installation import KATIB_NAMESPACE, controller_hint
from housectl.kube.kubectl import KubectlTarget
from housectl.kube.objects.events import Event, latest_event

_PREFIX = re.compile(
    r'^(?:\(combined from similar events\): )?Error creating: (?:pods "[^"]*" is forbidden: )?'
)
_Rule = tuple[re.Pattern[str], Callable[[KubectlTarget, re.Match[str]], Cause]]


def pod_creation_blocked(target: KubectlTarget, events: Sequence[Event]) -> Cause | None:
    """Return the cause of the last rejected pod, if no pod was created afterwards.

    Args:
        target: The namespace of the pods.
        events: The events about their controller, a Job or a ReplicaSet.
    """
    event = latest_event(events, "FailedCreate", "SuccessfulCreate")
    if event is None or event.reason == "SuccessfulCreate":
        return None
    message = _PREFIX.sub("", event.message)
    for pattern, make_cause in _RULES:
        if match := pattern.search(message):
            return make_cause(target, match)
    return Cause(
        message=sentence("its pod cannot be created", message), hint=_events_command(target)
    )


def _quota_exhausted(target: KubectlTarget, match: re.Match[str]) -> Cause:
    quota = match["quota"]
    return Cause(
        message=f"the quota {quota} of the namespace {target.namespace} is exhausted "
        f"({match['numbers']}).",
        hint=f"{target.kubectl(f'describe resourcequota {quota}')}   # --workers 1 runs one trial "
        "at a time; trial requests are set under katib: in housectl.yaml",
        is_temporary=True,
    )


def _quota_needs_setting(target: KubectlTarget, match: re.Match[str]) -> Cause:
    quota = match["quota"]
    return Cause(
        message=f"the quota {quota} of the namespace {target.namespace} requires "
        f"{match['setting']} for every container.",
        hint=target.kubectl(f"describe resourcequota {quota}"),
    )


def _outside_limit_range(target: KubectlTarget, match: re.Match[str]) -> Cause:
    return Cause(
        message=f"the limit range of the namespace {target.namespace} rejects its pod: {match[0]}.",
        hint=f"{target.kubectl('describe limitrange')}   # then stay within it: --trial-memory, "
        "and katib: in housectl.yaml",
    )


def _missing_service_account(target: KubectlTarget, match: re.Match[str]) -> Cause:
    account = match["account"]
    return Cause(
        message=f"the service account {account} is missing in the namespace {target.namespace}.",
        hint=target.kubectl(f"create serviceaccount {account}"),
    )


def _pod_security_violation(target: KubectlTarget, match: re.Match[str]) -> Cause:
    return Cause(
        message=sentence(
            f"the namespace {target.namespace} allows only pods of the security level "
            f"{match['level']}",
            match["reason"],
        ),
        hint=target.cluster_kubectl(
            f"label namespace {target.namespace} pod-security.kubernetes.io/enforce=baseline "
            "--overwrite"
        ),
    )


def _webhook_cert_untrusted(target: KubectlTarget, match: re.Match[str]) -> Cause:
    return Cause(
        message=sentence(
            f"the certificate of the webhook {match['webhook']} is not trusted, so its pod cannot "
            "be created",
            match["reason"],
        ),
        hint=target.cluster_kubectl(
            f"rollout restart deployment katib-controller -n {KATIB_NAMESPACE}"
        ),
    )


def _webhook_unreachable(target: KubectlTarget, match: re.Match[str]) -> Cause:
    return Cause(
        message=sentence(
            f"the webhook {match['webhook']} is unreachable, so its pod cannot be created",
            match["reason"].rpartition('": ')[2],
        ),
        hint=controller_hint(target),
    )


def _no_command(target: KubectlTarget, match: re.Match[str]) -> Cause:
    return Cause(
        message="Katib rejects its pod: the container has no command, and Katib cannot read the "
        f"command of the image {match['image']}.",
        hint=_template_hint(target),
    )


def _no_primary_container(target: KubectlTarget, match: re.Match[str]) -> Cause:
    return Cause(
        message="Katib rejects its pod: no container has the name "
        f"{match['name']} from primaryContainerName.",
        hint=_template_hint(target),
    )


def _denied_by_webhook(target: KubectlTarget, match: re.Match[str]) -> Cause:
    return Cause(
        message=sentence(f"the webhook {match['webhook']} rejects its pod", match["reason"]),
        hint=_events_command(target),
    )


def _template_hint(target: KubectlTarget) -> str:
    return (
        f"{target.kubectl('get jobs -o yaml')}   # then correct trialTemplate, and submit the "
        "experiment again"
    )


def _events_command(target: KubectlTarget) -> str:
    return target.kubectl("get events --field-selector reason=FailedCreate")


_RULES: Sequence[_Rule] = (
    (re.compile(r"exceeded quota: (?P<quota>[^,]+), (?P<numbers>.*)"), _quota_exhausted),
    (
        re.compile(r"failed quota: (?P<quota>[^:]+): must specify (?P<setting>\S+)"),
        _quota_needs_setting,
    ),
    (
        re.compile(r"(?:maximum|minimum) .* usage per \w+ is .*|.* limit to request ratio.*"),
        _outside_limit_range,
    ),
    (re.compile(r'serviceaccount "(?P<account>[^"]+)" not found'), _missing_service_account),
    (
        re.compile(r'violates PodSecurity "(?P<level>[^":]+)[^"]*": (?P<reason>.*)'),
        _pod_security_violation,
    ),
    (
        re.compile(
            r'failed calling webhook "(?P<webhook>[^"]+)".*'
            r"(?P<reason>x509: .*|unable to parse bytes.*)"
        ),
        _webhook_cert_untrusted,
    ),
    (
        re.compile(r'failed calling webhook "(?P<webhook>[^"]+)": (?P<reason>.*)'),
        _webhook_unreachable,
    ),
    (re.compile(r'Failed to parse image "(?P<image>[^"]+)"'), _no_command),
    (re.compile(r"Unable to find primary container (?P<name>\S+) in"), _no_primary_container),
    (
        re.compile(r'admission webhook "(?P<webhook>[^"]+)" denied the request: (?P<reason>.*)'),
        _denied_by_webhook,
    ),
)
