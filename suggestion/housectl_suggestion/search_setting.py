"""The search of a request: one setting of Katib's algorithm."""

import grpc
import msgspec

from housectl.contract.record import MalformedRecordError
from housectl.contract.struct_types import analyse_type
from housectl.errors import NewerFormatError
from housectl.experiment import Experiment
from housectl.search.first_trials import startable_trials
from housectl.search.katib_texts import (
    FAMILY,
    RIVAL,
    SEARCH_SETTING,
    SearchSetting,
    parameter_name,
)
from housectl.search.sampler import SAMPLER_VERSION
from housectl_suggestion.request_error import RequestError
from housectl_suggestion.suggestion_pb2 import Experiment as KatibExperiment

MAX_TRIALS = 20_000
MAX_LAG = 256

_REGISTER = "housectl cluster init   # registers the service of the client's own version"
_SUBMIT = "housectl tune --backend katib   # submits an experiment with this setting"


class _SamplerVersion(msgspec.Struct):
    """The field of a setting that all versions have."""

    sampler: int = 0


def read_setting(experiment: KatibExperiment) -> SearchSetting:
    """Return the search that the settings of an experiment contain.

    Raises:
        RequestError: It is missing, malformed, or that of another version of the sampler.
    """
    settings = {each.name: each.value for each in experiment.spec.algorithm.algorithm_settings}
    text = settings.get(SEARCH_SETTING)
    if text is None:
        raise _invalid(f"The algorithm's setting {SEARCH_SETTING!r} is missing.", hint=_SUBMIT)
    _check_version(text.encode())
    try:
        setting = SearchSetting.from_json(text.encode())
    except MalformedRecordError as error:
        raise _malformed(str(error)) from error
    except NewerFormatError as error:
        raise _invalid(error.message, hint=_REGISTER) from error
    _check_bounds(setting)
    return setting


def check_parameters(experiment: KatibExperiment, search: Experiment) -> None:
    """Check that Katib's parameters are those of the search; Katib would stall otherwise.

    Raises:
        RequestError: A parameter is missing or unknown.
    """
    actual = {parameter.name for parameter in experiment.spec.parameter_specs.parameters}
    expected = {FAMILY, RIVAL} | {
        parameter_name(search, family, parameter.name)
        for family, space in search.spaces.items()
        for parameter in space.parameters
    }
    if different := sorted(actual ^ expected):
        raise _invalid(
            f"The experiment's parameters differ from those of its setting {SEARCH_SETTING!r}: "
            f"{', '.join(different)}.",
            hint=_SUBMIT,
        )


def check_parallel_trials(experiment: KatibExperiment, setting: SearchSetting) -> None:
    """Check that the first request can be answered; otherwise Katib would never start a trial.

    Raises:
        RequestError: A suggestion of the first request depends on a trial of the same request.
    """
    ended = {trial.number for trial in setting.earlier}
    limit = startable_trials(ended, lag=setting.experiment.lag)
    if experiment.spec.parallel_trial_count > limit:
        raise _invalid(
            f"The experiment's parallelTrialCount is {experiment.spec.parallel_trial_count}, but "
            f"only {limit} of its trials can start before another one ends.",
            hint=_SUBMIT,
        )


def _check_version(data: bytes) -> None:
    analyse_type(_SamplerVersion)
    try:
        version = msgspec.json.decode(data, type=_SamplerVersion).sampler
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _malformed(str(error)) from error
    if version != SAMPLER_VERSION:
        raise _invalid(
            f"The service of the algorithm has sampler {SAMPLER_VERSION}, but the experiment needs "
            f"sampler {version}.",
            hint=_REGISTER,
        )


def _check_bounds(setting: SearchSetting) -> None:
    search = setting.experiment
    numbers = [trial.number for trial in setting.earlier]
    if not search.spaces:
        raise _malformed("it has no family")
    if not 1 <= search.lag <= MAX_LAG:
        raise _malformed(f"its lag is {search.lag}, not 1 to {MAX_LAG}")
    if len({*numbers}) != len(numbers) or not all(0 <= number < MAX_TRIALS for number in numbers):
        raise _malformed(
            f"the numbers of its earlier trials are not distinct, or not 0 to {MAX_TRIALS - 1}"
        )


def _malformed(problem: str) -> RequestError:
    return _invalid(
        f"The algorithm's setting {SEARCH_SETTING!r} is malformed: {problem}.", hint=_SUBMIT
    )


def _invalid(message: str, *, hint: str) -> RequestError:
    return RequestError(grpc.StatusCode.INVALID_ARGUMENT, message, hint=hint)
