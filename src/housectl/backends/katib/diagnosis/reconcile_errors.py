"""Errors that Katib's controllers meet again and again."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from housectl.backends.katib.diagnosis.cause import Cause, sentence
from housectl.backends.katib.diagnosis.experiment_context import ExperimentContext
from housectl.kube.objects.events import Event, events_about, events_since

# Two controllers that write at once; the next try, some milliseconds later, is well.
_HARMLESS = re.compile(r'suggestions\.kubeflow\.org "[^"]*" already exists|has been modified')
# The pause between two tries begins with 5 ms and doubles: these are the tries of three seconds.
_TRIES = 9
_PREFIX = "Failed to reconcile: "
_RPC = re.compile(r"^rpc error: code = \w+ desc = (?:Exception calling application: )?")


def persistent_error(events: Sequence[Event]) -> str | None:
    """Return the message of an error that has come back too often to go away by itself.

    Args:
        events: About one object, since it last got on.
    """
    counts: dict[str, int] = {}
    for event in events:
        if event.reason == "ReconcileError" and not _HARMLESS.search(event.message):
            counts[event.message] = counts.get(event.message, 0) + event.times
    message = max(counts, key=lambda text: counts[text], default="")
    if counts.get(message, 0) < _TRIES:
        return None
    return _RPC.sub("", message.removeprefix(_PREFIX))


@dataclass(frozen=True)
class _Known:
    """An error of an algorithm, in the user's terms; the texts may name {algorithm} and {title}."""

    pattern: str
    what: str
    hint: str


_ERRORS: Sequence[_Known] = (
    _Known(
        r'strconv\.ParseFloat: parsing ""',
        "A trial gave no finite number, and the algorithm {algorithm} cannot go on after that.",
        "housectl stop {title}   # what has ended well stays usable; housectl show {title} says "
        "which trial it was",
    ),
    _Known(
        r"should not contain 0 when using log-uniform prior",
        "The algorithm {algorithm} searches real numbers on a logarithmic scale, so that each min "
        "has to be above 0.",
        "housectl delete {title}   # then raise min under space: in housectl.yaml, or choose "
        "another --algorithm",
    ),
    _Known(
        r"low should be less than high|has to be less than the upper bound",
        "The search space has a parameter whose min is not below its max.",
        "housectl delete {title}   # then correct space: in housectl.yaml",
    ),
    _Known(
        r"unable to find parameter from ParameterAssignment in TrialParameters",
        "The search space has a parameter that the trial's template does not use.",
        "housectl delete {title}   # then use every parameter in trialParameters",
    ),
    _Known(
        r'Service "[^"]*" is invalid',
        "The algorithm's service cannot be called after the experiment {title}: a name has "
        "letters, digits and dashes only.",
        "housectl delete {title}   # then choose another --name",
    ),
    _Known(
        r"Same parameter is not found for Trial",
        "The algorithm {algorithm} has lost its memory, because its pod or its Suggestion was made "
        "anew, and cannot go on.",
        "housectl stop {title}   # what has ended well stays usable",
    ),
)


def reconcile_error(observed: ExperimentContext) -> Cause | None:
    """Return the error that keeps Katib's controllers from going on."""
    if observed.active_trials:
        return None
    events, suggestion = events_since(observed.events, observed.last_progress), observed.suggestion
    told = events_about(events, "Suggestion", suggestion.metadata) if suggestion else []
    of_suggestion = persistent_error(told)
    experiment = observed.experiment.metadata
    error = of_suggestion or persistent_error(events_about(events, "Experiment", experiment))
    if error is None:
        return None
    words = {"algorithm": observed.algorithm, "title": observed.user_name}
    for known in _ERRORS:
        if re.search(known.pattern, error):
            return Cause(message=known.what.format(**words), hint=known.hint.format(**words))
    kind = "suggestion" if of_suggestion else "experiment"
    return Cause(
        message=sentence("Katib cannot go on", error),
        hint=observed.target.kubectl(f"describe {kind} {experiment.name}"),
    )
