"""Causes of repeated errors of Katib's controllers, from ReconcileError events."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from housectl.backends.katib.diagnosis.cause import Cause, sentence, split_hint
from housectl.backends.katib.diagnosis.experiment_context import ExperimentContext
from housectl.kube.objects.events import Event, events_about, events_since
from housectl.search.katib_texts import WAITING

# Two controllers write at the same time, and the retry some milliseconds later succeeds. The
# algorithm `housectl` suggests some trials only after others have ended.
_HARMLESS = re.compile(
    r'suggestions\.kubeflow\.org "[^"]*" already exists|has been modified'
    rf"|desc = {re.escape(WAITING)} "
)
# The backoff starts at 5 ms and doubles, so this is the number of attempts within 3 s.
_ATTEMPTS = 9
_PREFIX = "Failed to reconcile: "
_RPC_PREFIX = re.compile(r"^rpc error: code = \w+ desc = (?:Exception calling application: )?")


@dataclass(frozen=True)
class _KnownError:
    """An error of an algorithm in the user's terms.

    Message and hint may contain the fields {algorithm} and {experiment}.
    """

    pattern: str
    message: str
    hint: str


_KNOWN_ERRORS: Sequence[_KnownError] = (
    _KnownError(
        r'strconv\.ParseFloat: parsing ""',
        "A trial reported no finite number, and the algorithm {algorithm} cannot continue.",
        "housectl stop {experiment}   # finished trials stay usable; housectl show {experiment} "
        "names the trial",
    ),
    _KnownError(
        r"should not contain 0 when using log-uniform prior",
        "The algorithm {algorithm} searches real numbers on a logarithmic scale, so each min must "
        "be greater than 0.",
        "housectl delete {experiment}   # then raise min under space: in housectl.yaml, or choose "
        "another --algorithm",
    ),
    _KnownError(
        r"low should be less than high|has to be less than the upper bound",
        "The search space has a parameter whose min is not less than its max.",
        "housectl delete {experiment}   # then correct space: in housectl.yaml",
    ),
    _KnownError(
        r"unable to find parameter from ParameterAssignment in TrialParameters",
        "The search space has a parameter that the trial's template does not use.",
        "housectl delete {experiment}   # then use every parameter in trialParameters",
    ),
    _KnownError(
        r'Service "[^"]*" is invalid',
        "The experiment name {experiment} is invalid for the algorithm's service: only letters, "
        "digits and dashes are allowed.",
        "housectl delete {experiment}   # then choose another --name",
    ),
    _KnownError(
        r"Same parameter is not found for Trial",
        "The algorithm {algorithm} has lost its state and cannot continue: its pod or its "
        "Suggestion was recreated.",
        "housectl stop {experiment}   # finished trials stay usable",
    ),
)


def persistent_error(events: Sequence[Event]) -> str | None:
    """Return the message of an error that has been repeated too often to be transient.

    Args:
        events: The events about one object since its last progress.
    """
    counts: dict[str, int] = {}
    for event in events:
        if event.reason == "ReconcileError" and not _HARMLESS.search(event.message):
            counts[event.message] = counts.get(event.message, 0) + event.times
    message = max(counts, key=lambda text: counts[text], default="")
    if counts.get(message, 0) < _ATTEMPTS:
        return None
    return _RPC_PREFIX.sub("", message.removeprefix(_PREFIX))


def reconcile_error(context: ExperimentContext) -> Cause | None:
    """Return the cause of an experiment whose controllers repeat an error."""
    if context.active_trials:
        return None
    events, suggestion = events_since(context.events, context.last_progress), context.suggestion
    experiment = context.experiment.metadata
    suggestion_error = (
        persistent_error(events_about(events, "Suggestion", suggestion.metadata))
        if suggestion
        else None
    )
    error = suggestion_error or persistent_error(events_about(events, "Experiment", experiment))
    if error is None:
        return None
    kind = "suggestion" if suggestion_error else "experiment"
    problem, hint = split_hint(error)
    return _known_cause(context, error) or Cause(
        message=sentence("Katib cannot continue", problem),
        hint=hint or context.target.kubectl(f"describe {kind} {experiment.name}"),
    )


def _known_cause(context: ExperimentContext, error: str) -> Cause | None:
    fields = {"algorithm": context.algorithm, "experiment": context.user_name}
    for known in _KNOWN_ERRORS:
        if re.search(known.pattern, error):
            return Cause(message=known.message.format(**fields), hint=known.hint.format(**fields))
    return None
