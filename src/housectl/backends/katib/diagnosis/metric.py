"""The objective of a trial: as Katib observed it, and as the trainer printed it."""

import re
from collections.abc import Iterable, Iterator, Sequence

from housectl.backends.katib.diagnosis.cause import Cause
from housectl.backends.katib.katib_objects import KatibTrial, finite_number

# What Katib's default filter takes for the name of a metric; and its value, even if no number.
_PRINTED = re.compile(r"(?P<name>[\w|-]+)\s*=\s*(?P<value>[^\s,;]*)")
_SHOWN = 3


def missing_metric(trial: KatibTrial, lines: Sequence[str], logs: str) -> Cause:
    """Return why a training that ended well has no objective, from the lines that it printed."""
    name = trial.spec.objective.objective_metric_name or "metric"
    printed = dict(_printed(lines))
    value = printed.pop(name, None)
    if value is not None and finite_number(value) is not None:
        what = (
            f"no metric: the training printed {name}={value}, but Katib's filter does not see it."
        )
    elif value is not None:
        what = _not_finite(name, value)
    else:
        what = f"no metric: the training printed no {name}=NUMBER{_others(trial, printed.items())}."
    return Cause(message=what, hint=logs)


def unusable_metric(trial: KatibTrial, lines: Sequence[str], logs: str) -> Cause:
    """Return the cause of a trial that Katib takes for a success although it has no number."""
    name = trial.spec.objective.objective_metric_name or "metric"
    value = dict(_printed(lines)).get(name)
    unknown = value is None or finite_number(value) is not None
    what = f"its {name} is no finite number." if unknown else _not_finite(name, value)
    return Cause(message=what, hint=logs)


def _not_finite(name: str, value: str | None) -> str:
    return f'the training printed "{name}={value}", which is no finite number.'


def _printed(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        for match in _PRINTED.finditer(line):
            yield match["name"], match["value"]


def _others(trial: KatibTrial, printed: Iterable[tuple[str, str]]) -> str:
    """Return the metrics that were printed instead; a parameter's value is none."""
    parameters = {each.name for each in trial.spec.parameter_assignments}
    seen = [
        name
        for name, value in printed
        if name not in parameters and finite_number(value) is not None
    ]
    if not seen:
        return ""
    numbers = "numbers" if seen[1:] else "a number"
    return f", but {numbers} called {', '.join(seen[-_SHOWN:])}"
