"""A client of the service, which asks as Katib does, and the process of the service."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import grpc
from grpc_health.v1 import health_pb2

from housectl.contract.record import canonical_json
from housectl.experiment import Experiment
from housectl.search.katib_texts import (
    FAMILY,
    HEALTH_SERVICE,
    RIVAL,
    SEARCH_SETTING,
    EarlierTrial,
    SearchSetting,
    parameter_name,
)
from housectl.search.sampler import SAMPLER_VERSION
from housectl_suggestion.server import MAX_MESSAGE_BYTES
from housectl_suggestion.service import SERVICE
from housectl_suggestion.suggestion_pb2 import (
    AlgorithmSetting,
    AlgorithmSpec,
    ExperimentSpec,
    GetSuggestionsReply,
    GetSuggestionsRequest,
    Metric,
    ObjectiveSpec,
    Observation,
    ParameterAssignment,
    ParameterSpec,
    Trial,
    TrialSpec,
    TrialStatus,
    ValidateAlgorithmSettingsReply,
    ValidateAlgorithmSettingsRequest,
)
from housectl_suggestion.suggestion_pb2 import Experiment as KatibExperiment

METRIC = "mse"
TIMEOUT_SECONDS = 60


@dataclass(kw_only=True)
class Service:
    """A process of the service."""

    process: subprocess.Popen[str]
    address: str

    def ask(self, request: GetSuggestionsRequest) -> list[GetSuggestionsReply.ParameterAssignments]:
        with self._channel() as channel:
            call = channel.unary_unary(
                f"/{SERVICE}/GetSuggestions",
                request_serializer=GetSuggestionsRequest.SerializeToString,
                response_deserializer=GetSuggestionsReply.FromString,
            )
            reply: GetSuggestionsReply = call(request, timeout=TIMEOUT_SECONDS, wait_for_ready=True)
            return list(reply.parameter_assignments)

    def validate(self, experiment: KatibExperiment) -> None:
        with self._channel() as channel:
            call = channel.unary_unary(
                f"/{SERVICE}/ValidateAlgorithmSettings",
                request_serializer=ValidateAlgorithmSettingsRequest.SerializeToString,
                response_deserializer=ValidateAlgorithmSettingsReply.FromString,
            )
            call(ValidateAlgorithmSettingsRequest(experiment=experiment), timeout=TIMEOUT_SECONDS)

    def health(self, name: str = HEALTH_SERVICE) -> int:
        with self._channel() as channel:
            call = channel.unary_unary(
                "/grpc.health.v1.Health/Check",
                request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
                response_deserializer=health_pb2.HealthCheckResponse.FromString,
            )
            reply: health_pb2.HealthCheckResponse = call(
                health_pb2.HealthCheckRequest(service=name), timeout=TIMEOUT_SECONDS
            )
            return int(reply.status)

    def _channel(self) -> grpc.Channel:
        # A request may be larger than the service accepts.
        options = [("grpc.max_send_message_length", 2 * MAX_MESSAGE_BYTES)]
        return grpc.insecure_channel(self.address, options=options)


@contextmanager
def running_service() -> Iterator[Service]:
    """Run the service at an unused port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "housectl_suggestion", "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        match = re.search(r"listening on port (\d+)", line)
        assert match, line
        yield Service(process=process, address=f"127.0.0.1:{match[1]}")
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=TIMEOUT_SECONDS)


@dataclass(kw_only=True)
class KatibSearch:
    """The state that Katib keeps about a search.

    Attributes:
        suggested: Number of suggestions that Katib received.
        trials: Trials by name, in the order of the suggestions.
    """

    experiment: Experiment
    name: str = ""
    earlier: tuple[EarlierTrial, ...] = ()
    suggested: int = 0
    trials: dict[str, Trial] = field(default_factory=dict)

    @property
    def katib_experiment(self) -> KatibExperiment:
        setting = SearchSetting(
            sampler=SAMPLER_VERSION, experiment=self.experiment, earlier=self.earlier
        )
        return katib_experiment(
            {SEARCH_SETTING: canonical_json(setting).decode()},
            parameters=parameter_names(self.experiment),
            name=self.name or self.experiment.name,
        )

    def request(self, count: int) -> GetSuggestionsRequest:
        return GetSuggestionsRequest(
            experiment=self.katib_experiment,
            trials=self.trials.values(),
            current_request_number=count,
            total_request_number=self.suggested + count,
        )

    def run(self, service: Service, count: int) -> list[Trial]:
        """Ask for suggestions, and start their trials."""
        replies = service.ask(self.request(count))
        self.suggested += len(replies)
        started = [running_trial(reply) for reply in replies]
        self.trials |= {trial.name: trial for trial in started}
        return started

    def end(self, name: str, value: float | str) -> None:
        """End a trial with an objective."""
        status = self.trials[name].status
        status.condition = TrialStatus.SUCCEEDED
        status.observation.CopyFrom(Observation(metrics=[Metric(name=METRIC, value=str(value))]))

    def fail(self, name: str) -> None:
        self.trials[name].status.condition = TrialStatus.FAILED

    def lose_metric(self, name: str) -> None:
        """End a trial without a metric; Katib does not tell the service of such trials."""
        del self.trials[name]


def katib_experiment(
    settings: Mapping[str, str], *, parameters: Iterable[str], name: str = "e"
) -> KatibExperiment:
    return KatibExperiment(
        name=name,
        spec=ExperimentSpec(
            parameter_specs=ExperimentSpec.ParameterSpecs(
                parameters=[ParameterSpec(name=each) for each in parameters]
            ),
            objective=ObjectiveSpec(objective_metric_name=METRIC),
            algorithm=AlgorithmSpec(
                algorithm_settings=[
                    AlgorithmSetting(name=key, value=value) for key, value in settings.items()
                ]
            ),
        ),
    )


def parameter_names(experiment: Experiment) -> list[str]:
    own = [
        parameter_name(experiment, family, parameter.name)
        for family, space in experiment.spaces.items()
        for parameter in space.parameters
    ]
    return [FAMILY, RIVAL, *own]


def running_trial(reply: GetSuggestionsReply.ParameterAssignments) -> Trial:
    return Trial(
        name=reply.trial_name,
        spec=TrialSpec(
            parameter_assignments=TrialSpec.ParameterAssignments(assignments=reply.assignments)
        ),
        status=TrialStatus(condition=TrialStatus.RUNNING),
    )


def texts_of(trial: Trial) -> dict[str, str]:
    assignments: Iterable[ParameterAssignment] = trial.spec.parameter_assignments.assignments
    return {each.name: each.value for each in assignments}
