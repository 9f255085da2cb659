"""The parameters of a Katib Experiment, and the trainer's arguments with their values. Pure.

With the algorithm `housectl`, `family` and `rival` are parameters too. Each trial gets the
parameters of all families, and the trainer ignores those of other families.
"""

from collections.abc import Iterator, Mapping

from housectl.backends.katib.plan.pod_spec import Manifest
from housectl.backends.katib.plan.sub_experiments import SubExperiment
from housectl.contract.metrics import NO_RIVAL
from housectl.contract.parameters import Assignment, Value
from housectl.experiment import Experiment, Parameter
from housectl.search.katib_texts import FAMILY, RIVAL, parameter_name


def search_parameters(experiment: Experiment, sub_experiment: SubExperiment) -> list[Manifest]:
    """Return the parameters in Katib's format."""
    if sub_experiment.family is not None:
        space = experiment.spaces[sub_experiment.family]
        return [_parameter(parameter.name, parameter) for parameter in space.parameters]
    families = [family.value for family in experiment.families_in_turn]
    return [
        _categorical(FAMILY, families),
        _categorical(RIVAL, [NO_RIVAL]),
        *(_parameter(name, parameter) for name, parameter in _prefixed(experiment)),
    ]


def trial_options(sub_experiment: SubExperiment) -> tuple[tuple[str, str], ...]:
    """Return the trainer's options that differ between trials or families."""
    if sub_experiment.family is not None:
        return (("--family", sub_experiment.family),)
    return ("--family", placeholder(FAMILY)), ("--rival", placeholder(RIVAL))


def trial_assignment(experiment: Experiment, sub_experiment: SubExperiment) -> Assignment:
    """Return the assignment in the trainer's arguments, with placeholders for searched values."""
    if sub_experiment.family is not None:
        space = experiment.spaces[sub_experiment.family]
        searched = {parameter.name: placeholder(parameter.name) for parameter in space.parameters}
        return {**space.fixed, **searched}
    return {
        **_prefixed_constants(experiment),
        **{name: placeholder(name) for name, _ in _prefixed(experiment)},
    }


def placeholder(name: str) -> str:
    """Return the text that Katib replaces by a parameter's value."""
    return f"${{trialParameters.{name}}}"


def _prefixed(experiment: Experiment) -> Iterator[tuple[str, Parameter]]:
    """Yield the parameters of all families with their names in Katib."""
    for family in experiment.families_in_turn:
        for parameter in experiment.spaces[family].parameters:
            yield parameter_name(experiment, family, parameter.name), parameter


def _prefixed_constants(experiment: Experiment) -> Mapping[str, Value]:
    return {
        parameter_name(experiment, family, name): value
        for family, space in experiment.spaces.items()
        for name, value in space.fixed.items()
    }


def _parameter(name: str, parameter: Parameter) -> Manifest:
    """Return a parameter in Katib's format, whose numbers are texts."""
    minimum, maximum = parameter.minimum, parameter.maximum
    if minimum is None or maximum is None:
        return _categorical(name, [str(choice) for choice in parameter.choices])
    feasible = {"min": _number_text(minimum), "max": _number_text(maximum)}
    if parameter.step is not None:
        feasible["step"] = _number_text(parameter.step)
    if parameter.log:
        feasible["distribution"] = "logUniform"
    return {"name": name, "parameterType": parameter.kind.value, "feasibleSpace": feasible}


def _categorical(name: str, choices: list[str]) -> Manifest:
    return {"name": name, "parameterType": "categorical", "feasibleSpace": {"list": choices}}


def _number_text(number: float) -> str:
    return str(int(number)) if float(number).is_integer() else repr(number)
