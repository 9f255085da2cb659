"""The methods of Katib's protocol `api.v1.beta1.Suggestion`."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import grpc

from housectl.contract.terminal_text import printable
from housectl.search.katib_texts import SearchSetting, suggestion_texts, trial_name
from housectl_suggestion.request_error import RequestError
from housectl_suggestion.search_setting import (
    MAX_TRIALS,
    check_parallel_trials,
    check_parameters,
    read_setting,
)
from housectl_suggestion.suggestion_pb2 import (
    GetSuggestionsReply,
    GetSuggestionsRequest,
    ParameterAssignment,
    ValidateAlgorithmSettingsReply,
    ValidateAlgorithmSettingsRequest,
)
from housectl_suggestion.trial_history import read_history
from housectl_suggestion.trial_list import SuggestedTrial, next_trials

SERVICE = "api.v1.beta1.Suggestion"
MAX_COUNT = 1_000
"""Largest number of suggestions in a reply."""

_log = logging.getLogger(__name__)


def service_handler() -> grpc.GenericRpcHandler:
    """Return the handler of the protocol's methods."""
    return grpc.method_handlers_generic_handler(
        SERVICE,
        {
            "GetSuggestions": grpc.unary_unary_rpc_method_handler(
                _get_suggestions,
                request_deserializer=GetSuggestionsRequest.FromString,
                response_serializer=GetSuggestionsReply.SerializeToString,
            ),
            "ValidateAlgorithmSettings": grpc.unary_unary_rpc_method_handler(
                _validate_settings,
                request_deserializer=ValidateAlgorithmSettingsRequest.FromString,
                response_serializer=ValidateAlgorithmSettingsReply.SerializeToString,
            ),
        },
    )


def _get_suggestions(
    request: GetSuggestionsRequest, context: grpc.ServicerContext
) -> GetSuggestionsReply:
    with _status_of_errors(context, request.experiment.name):
        started = time.monotonic()
        reply = suggestions(request, is_active=context.is_active)
        _log.info(
            "%s: %s after %d trials, in %.0f ms",
            printable(request.experiment.name),
            _names(reply),
            len(request.trials),
            1000 * (time.monotonic() - started),
        )
        return reply


def _validate_settings(
    request: ValidateAlgorithmSettingsRequest, context: grpc.ServicerContext
) -> ValidateAlgorithmSettingsReply:
    with _status_of_errors(context, request.experiment.name):
        setting = read_setting(request.experiment)
        check_parameters(request.experiment, setting.experiment)
        check_parallel_trials(request.experiment, setting)
        _log.info("%s: valid settings", printable(request.experiment.name))
        return ValidateAlgorithmSettingsReply()


def suggestions(
    request: GetSuggestionsRequest, *, is_active: Callable[[], bool] = lambda: True
) -> GetSuggestionsReply:
    """Return the next trials of a request. It depends on the request only.

    Args:
        request: Contains the search and all of its trials.
        is_active: Returns False if nobody waits for the reply any more.

    Raises:
        RequestError: The request is invalid, or a trial has to end first.
    """
    setting = read_setting(request.experiment)
    suggested, count = _amounts(request)
    metric = request.experiment.spec.objective.objective_metric_name
    history = read_history(setting, request.trials, metric=metric)
    reply = GetSuggestionsReply()
    for trial in next_trials(setting, history, suggested=suggested, count=count):
        if not is_active():
            raise RequestError(grpc.StatusCode.CANCELLED, "the client does not wait any more")
        reply.parameter_assignments.append(_message(setting, trial))
    return reply


def _amounts(request: GetSuggestionsRequest) -> tuple[int, int]:
    """Return the numbers of trials that were suggested, and that are to be suggested."""
    count, total = request.current_request_number, request.total_request_number
    if not (0 <= count <= min(total, MAX_COUNT) and total <= MAX_TRIALS):
        raise RequestError(
            grpc.StatusCode.INVALID_ARGUMENT,
            f"Katib requests {count} suggestions of {total}; up to {MAX_COUNT} of {MAX_TRIALS} are "
            "possible.",
        )
    return total - count, count


def _message(
    setting: SearchSetting, trial: SuggestedTrial
) -> GetSuggestionsReply.ParameterAssignments:
    texts = suggestion_texts(setting.experiment, trial.number, trial.assignment, rival=trial.rival)
    return GetSuggestionsReply.ParameterAssignments(
        assignments=[ParameterAssignment(name=name, value=text) for name, text in texts.items()],
        trial_name=trial_name(setting.experiment, trial.number),
    )


@contextmanager
def _status_of_errors(context: grpc.ServicerContext, experiment: str) -> Iterator[None]:
    """End a call with the status of an error, and log it."""
    try:
        yield
    except RequestError as error:
        level = logging.INFO if error.code is grpc.StatusCode.ABORTED else logging.ERROR
        _log.log(level, "%s: %s", printable(experiment), printable(str(error)))
        context.abort(error.code, str(error))


def _names(reply: GetSuggestionsReply) -> str:
    names = [each.trial_name for each in reply.parameter_assignments]
    if not names:
        return "no trial"
    return names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"
