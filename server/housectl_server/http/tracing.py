"""Traces: a span of OpenTelemetry for each request, if the environment names a receiver."""

import logging
import os
from contextlib import suppress
from importlib.util import find_spec
from time import time_ns
from typing import TYPE_CHECKING

from starlette.types import Scope

from housectl.deadline import call_in_thread
from housectl_server.http.answer_headers import model_version_of, request_id_of
from housectl_server.http.handlers import handler_of

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

_ENDPOINT_VARIABLES = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
# The name of a service that the environment does not name.
_NO_NAME = "unknown_service"
_CLOSE_SECONDS = 2.0
_MAX_PATH_LENGTH = 200
_FIRST_SERVER_ERROR = 500

_log = logging.getLogger(__name__)


class Tracer:
    """Sends a span for each answered request, in a thread.

    Args:
        provider: Makes the spans.
    """

    def __init__(self, provider: "TracerProvider") -> None:
        from opentelemetry.propagate import extract
        from opentelemetry.trace import SpanKind, StatusCode

        self._provider = provider
        self._start_span = provider.get_tracer("housectl_server").start_span
        self._extract = extract
        self._kind = SpanKind.SERVER
        self._error = StatusCode.ERROR

    def __call__(self, scope: Scope, status: int, seconds: float) -> None:
        """Record an answered request. The span continues the trace that its headers name.

        Args:
            scope: The request.
            status: Status of the answer.
            seconds: Time to the answer.
        """
        end, handler = time_ns(), handler_of(scope)
        span = self._start_span(
            f"{scope['method']} {handler}",
            context=self._extract(_carrier(scope)),
            kind=self._kind,
            attributes=_attributes(scope, handler, status),
            start_time=end - int(seconds * 1e9),
        )
        if status >= _FIRST_SERVER_ERROR:
            span.set_status(self._error)
        span.end(end)

    def close(self) -> None:
        """Send the spans that wait, but not for long: the receiver may be away."""
        with suppress(TimeoutError):
            call_in_thread(self._provider.shutdown).result(timeout=_CLOSE_SECONDS)


def create_tracer() -> Tracer | None:
    """Return the tracer that the environment asks for; None if it does not, or without the extra.

    OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT names the receiver. Nothing of
    OpenTelemetry is imported without them.
    """
    if not any(map(os.environ.get, _ENDPOINT_VARIABLES)) or _is_disabled():
        return None
    if find_spec("opentelemetry.exporter") is None or find_spec("opentelemetry.sdk") is None:
        _log.warning("no traces are sent: run `pip install 'housectl[otel]'` first")
        return None
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create()
    if str(resource.attributes[SERVICE_NAME]).startswith(_NO_NAME):
        resource = resource.merge(Resource({SERVICE_NAME: "housectl"}))
    # At the end of the process, it would wait for a receiver that is away.
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Tracer(provider)


def _is_disabled() -> bool:
    is_off = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    return is_off or os.environ.get("OTEL_TRACES_EXPORTER", "otlp").lower() == "none"


def _carrier(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def _attributes(scope: Scope, handler: str, status: int) -> dict[str, str | int]:
    attributes: dict[str, str | int] = {
        "http.request.method": scope["method"],
        "http.response.status_code": status,
        "http.route": handler,
        "url.path": scope["path"][:_MAX_PATH_LENGTH],
        "url.scheme": scope["scheme"],
        "housectl.request_id": request_id_of(scope),
    }
    if version := model_version_of(scope):
        attributes["housectl.model_version"] = version
    return attributes
