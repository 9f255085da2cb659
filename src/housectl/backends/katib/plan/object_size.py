"""Size of the objects that a search with the algorithm `housectl` fills. Pure.

Katib keeps the assignments of all trials in one object, the Suggestion. The setting of a resumed
search contains those of earlier trials, and its Suggestion only those of later ones.
"""

from housectl.contract.parameters import Value
from housectl.contract.record import canonical_json
from housectl.experiment import Experiment, Parameter, ParameterKind
from housectl.search.katib_texts import EarlierTrial, suggestion_texts, trial_name

# Kubernetes' database rejects larger objects than 1.5 MiB. Some space is left for other fields.
_MAX_BYTES = 1_300_000
# The longest text of a 64-bit floating-point number.
_LONGEST_NUMBER = -2.2250738585072014e-308
_TRIAL_OVERHEAD = len('{"name":"","parameterAssignments":[]},')


def max_trials(experiment: Experiment) -> int:
    """Return the number of trials whose assignments fit into one object."""
    numbers = range(len(experiment.families_in_turn))
    return _MAX_BYTES // max(_trial_bytes(experiment, number) for number in numbers)


def _trial_bytes(experiment: Experiment, number: int) -> int:
    """Return the largest size of a trial of a family, in both objects."""
    space = experiment.spaces[experiment.family_at_turn(number)]
    assignment = {parameter.name: _longest_value(parameter) for parameter in space.parameters}
    texts = suggestion_texts(experiment, number, assignment, rival=number)
    suggested = sum(
        len(canonical_json({"name": name, "value": value})) + 1 for name, value in texts.items()
    )
    earlier = EarlierTrial(
        number=number, assignment={**space.fixed, **assignment}, mse=_LONGEST_NUMBER
    )
    return max(
        suggested + len(trial_name(experiment, number)) + _TRIAL_OVERHEAD,
        len(canonical_json(earlier)) + 1,
    )


def _longest_value(parameter: Parameter) -> Value:
    match parameter.kind:
        case ParameterKind.INT:
            return int(parameter.maximum or 0)
        case ParameterKind.DOUBLE:
            return _LONGEST_NUMBER
        case ParameterKind.CATEGORICAL:
            return max(parameter.choices, key=lambda choice: len(str(choice)), default="")
