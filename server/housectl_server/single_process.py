"""A server of one process, which loads the champion before it listens."""

import logging

from housectl_server.http.sockets import bind_socket, url_of
from housectl_server.libraries import import_libraries
from housectl_server.monitoring.monitor import Monitor
from housectl_server.serving import load_server
from housectl_server.settings import Settings

_log = logging.getLogger(__name__)


def serve_alone(settings: Settings) -> None:
    """Serve until a signal ends the process.

    Raises:
        HousectlError: The champion cannot be loaded, or the address cannot be bound.
    """
    import_libraries()
    server = load_server(settings, Monitor())
    listener = bind_socket(settings.host, settings.port)
    _log.info("listening on %s with %s", url_of(listener), server.champion)
    server.run(listener, owns_listener=True)
