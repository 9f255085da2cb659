"""The server's command line: `HOUSECTL_STORE=STORE python -m housectl_server --host H --port P`."""

import os
import signal
import sys
from typing import NoReturn

from housectl.errors import ExitStatus, HousectlError
from housectl_server.logs import configure_logging, print_startup_error
from housectl_server.settings import Settings, read_settings


def main() -> int:
    """Serve until a signal ends the process; return its exit status."""
    settings = read_settings()
    # Uvicorn shuts down gracefully on these, then raises them again for this handler.
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, _exit)
    # A process without threads can fork, and OpenBLAS starts threads at its import.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    configure_logging(as_json=settings.as_json)
    try:
        _serve(settings)
    except HousectlError as error:
        print_startup_error(error, as_json=settings.as_json)
        return error.status
    return ExitStatus.OK


def _serve(settings: Settings) -> None:
    # These modules import numpy, which needs the setting above.
    if settings.workers == 1:
        from housectl_server.single_process import serve_alone

        serve_alone(settings)
    else:
        from housectl_server.workers.runtime_directory import runtime_directory

        with runtime_directory() as directory:
            from housectl_server.workers.parent import serve_with_workers

            serve_with_workers(settings, directory)


def _exit(*_: object) -> NoReturn:
    sys.exit(ExitStatus.OK)


if __name__ == "__main__":
    sys.exit(main())
