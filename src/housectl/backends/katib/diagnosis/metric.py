"""Causes of missing objectives, from Katib's observation and the trainer's printed lines."""

import re
from collections.abc import Iterable, Iterator, Sequence

from housectl.backends.katib.diagnosis.cause import Cause
from housectl.backends.katib.katib_objects import KatibTrial, finite_number

# Katib's default filter for the name of a metric; the value may be any text here.
_PRINTED = re.compile(r"(?P<name>[\w|-]+)\s*=\s*(?P<value>[^\s,;]*)")
_MAX_NAMES = 3


def missing_metric(trial: KatibTrial, lines: Sequence[str], logs_command: str) -> Cause:
    """Return the cause of a successful training without an objective."""
    name = _objective_name(trial)
    printed = dict(_printed_metrics(lines))
    value = printed.pop(name, None)
    if value is None:
        others = _other_metrics(trial, printed.items())
        message = f"no metric: the training printed no {name}=NUMBER{others}."
    elif finite_number(value) is None:
        message = _not_finite(name, value)
    else:
        message = (
            f"no metric: the training printed {name}={value}, but Katib's filter does not match it."
        )
    return Cause(message=message, hint=logs_command)


def unusable_metric(trial: KatibTrial, lines: Sequence[str], logs_command: str) -> Cause:
    """Return the cause of a trial that Katib counts as successful although it has no number."""
    name = _objective_name(trial)
    value = dict(_printed_metrics(lines)).get(name)
    is_unknown = value is None or finite_number(value) is not None
    message = f"its {name} is not a finite number." if is_unknown else _not_finite(name, value)
    return Cause(message=message, hint=logs_command)


def _objective_name(trial: KatibTrial) -> str:
    return trial.spec.objective.objective_metric_name or "metric"


def _not_finite(name: str, value: str | None) -> str:
    return f'the training printed "{name}={value}", which is not a finite number.'


def _printed_metrics(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        for match in _PRINTED.finditer(line):
            yield match["name"], match["value"]


def _other_metrics(trial: KatibTrial, printed: Iterable[tuple[str, str]]) -> str:
    """Return a clause about the metrics printed instead; parameters do not count."""
    parameters = {assignment.name for assignment in trial.spec.parameter_assignments}
    names = [
        name
        for name, value in printed
        if name not in parameters and finite_number(value) is not None
    ]
    if not names:
        return ""
    numbers = "numbers" if names[1:] else "a number"
    return f", but {numbers} called {', '.join(names[-_MAX_NAMES:])}"
