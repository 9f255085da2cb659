"""Demo on Boston's house prices: tune, promote, serve, verify and predict.

In a terminal, the server runs until Ctrl-C. Otherwise the demo sends one request, then stops the
server.
"""

import json
import shlex
import signal
import socket
import subprocess
import sys
import urllib.request
from contextlib import suppress
from pathlib import Path

import housectl
from housectl import ExitStatus

HOUSECTL = Path(sys.executable).with_name("housectl")
START_SECONDS = 30.0
ROW = {
    "CRIM": 0.00632,
    "ZN": 18,
    "INDUS": 2.31,
    "CHAS": 0,
    "NOX": 0.538,
    "RM": 6.575,
    "AGE": 65.2,
    "DIS": 4.09,
    "RAD": 1,
    "TAX": 296,
    "PTRATIO": 15.3,
    "LSTAT": 4.98,
}


def main() -> int:
    """Run all steps; return the exit status of the first failed step."""
    if status := check_port():
        return status
    for step in (["tune"], ["promote"]):
        status = run_housectl(*step)
        if status not in {ExitStatus.OK, ExitStatus.CHAMPION_KEPT}:
            return status
    server = subprocess.Popen([HOUSECTL, *print_command("serve")])
    try:
        return use(server)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()


def check_port() -> int:
    """Return an error status if another server, which `verify` would reach, has the port."""
    serve = housectl.open().config.serve
    with socket.socket() as probe:
        if probe.connect_ex((serve.host, serve.port)) != 0:
            return ExitStatus.OK
    print(f"error: Port {serve.port} is busy: another program listens on it.", file=sys.stderr)
    print(f"hint:  ss -ltnp sport = :{serve.port}   # shows the program", file=sys.stderr)
    return ExitStatus.LOCAL_ENVIRONMENT


def use(server: subprocess.Popen[bytes]) -> int:
    """Verify the server, then wait for Ctrl-C or send one request."""
    project = housectl.open()
    project.wait_until_serving(timeout=START_SECONDS)
    if status := run_housectl("verify"):
        return status
    url = project.config.server_url
    print_now(f"$ curl {url}/predict --json '{json.dumps(ROW)}'")
    if sys.stdout.isatty():
        with suppress(KeyboardInterrupt):
            print_now(f"{url}/docs explains every feature. Ctrl-C stops the server.")
            server.wait()
    else:
        print_now(predict(url))
    return ExitStatus.OK


def predict(url: str) -> str:
    """Return the server's response for one row."""
    request = urllib.request.Request(  # noqa: S310
        f"{url}/predict",
        data=json.dumps(ROW).encode(),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request) as response:  # noqa: S310
        text: str = response.read().decode()
    return text


def run_housectl(*arguments: str) -> int:
    """Print and run a command, and return its exit status."""
    return subprocess.run([HOUSECTL, *print_command(*arguments)], check=False).returncode


def print_command(*arguments: str) -> tuple[str, ...]:
    """Print a command, and return its arguments."""
    print_now(f"\n$ housectl {shlex.join(arguments)}")
    return arguments


def print_now(text: str) -> None:
    """Print a line at once, in order with the output of the commands."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
