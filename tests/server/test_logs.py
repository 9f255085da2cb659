"""The server's log: texts of clients, and a log that cannot be written."""

import logging
import subprocess
import sys
from pathlib import Path

import httpx

from housectl.python_process import module_argv
from housectl_server.logs import TextFormatter
from tests.server.running import wait_until
from tools.project_directory import clean_environment
from tools.server_process import free_port


def test_control_characters_are_escaped() -> None:
    fields = {"msg": "GET %s", "args": ("/\x1b[31m\r\nfake line :x: caf\xe9",)}
    record = logging.makeLogRecord(fields)
    line = TextFormatter("%(message)s").format(record)
    assert line == r"GET /\x1b[31m\r\nfake line :x: café"


def test_server_whose_log_is_lost_serves_without_traceback(tmp_path: Path) -> None:
    port = free_port()
    with Path("/dev/full").open("wb") as full:
        process = subprocess.Popen(
            [sys.executable, *module_argv("housectl_server", "--json", "--port", str(port))],
            env=clean_environment() | {"HOUSECTL_STORE": str(tmp_path / "store")},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    try:
        wait_until(lambda: is_live(port))
    finally:
        process.terminate()
        _, stderr = process.communicate()
    assert "Traceback" not in stderr


def is_live(port: int) -> bool:
    try:
        response = httpx.get(f"http://127.0.0.1:{port}/health/live", trust_env=False)
    except httpx.TransportError:
        return False
    return response.status_code == 200
