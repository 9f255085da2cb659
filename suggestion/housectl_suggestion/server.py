"""The gRPC server: Katib's protocol, and health checks of the name that Katib's probes use."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import grpc
from grpc_health.v1 import health, health_pb2_grpc
from grpc_health.v1.health_pb2 import HealthCheckResponse

from housectl.errors import PortBusyError
from housectl.search.katib_texts import HEALTH_SERVICE
from housectl_suggestion.service import service_handler

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
_MAX_CALLS = 32
# Health checks are answered while suggestions are computed.
_THREADS = 4
_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_metadata_size", 16 * 1024),
    # A second process on the same port is an error.
    ("grpc.so_reuseport", 0),
)


@dataclass(frozen=True, kw_only=True)
class RunningServer:
    """A server that answers requests at a port."""

    port: int


@contextmanager
def running_server(port: int, *, grace_seconds: float) -> Iterator[RunningServer]:
    """Answer requests until the end of the context.

    Args:
        port: Port at all addresses; 0 for any unused one.
        grace_seconds: Time for the calls of the last moment.

    Raises:
        PortBusyError: The port is in use.
    """
    server = grpc.server(
        ThreadPoolExecutor(_THREADS), maximum_concurrent_rpcs=_MAX_CALLS, options=_OPTIONS
    )
    server.add_generic_rpc_handlers((service_handler(),))
    servicer = health.HealthServicer()
    for name in ("", HEALTH_SERVICE):
        servicer.set(name, HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    bound_port = _bind(server, port)
    server.start()
    try:
        yield RunningServer(port=bound_port)
    finally:
        servicer.enter_graceful_shutdown()
        server.stop(grace_seconds).wait()


def _bind(server: grpc.Server, port: int) -> int:
    try:
        return server.add_insecure_port(f"[::]:{port}")
    except RuntimeError as error:
        raise PortBusyError(
            f"The port {port} cannot be opened: {error}.",
            hint="python -m housectl_suggestion --port 0   # uses any unused port",
        ) from error
