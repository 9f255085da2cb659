"""Take a picture of the server's page: `make page-png`. It needs Chromium.

The server serves the second champion of a copy of the project, so the page has a history.
"""

import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from playwright.sync_api import ViewportSize, sync_playwright

from tools.project_directory import ROOT, ProjectDirectory, clean_environment, copy_boston

PICTURE = ROOT / "docs" / "images" / "page.png"
SIZE = ViewportSize(width=1180, height=1010)
# A linear model is the first champion, and one of trees the second.
SEARCHES = (("--family", "linear", "--trials", "3"), ("--trials", "8"))

_TIMEOUT_MS = 60_000
# The pauses between them add up to a minute.
_CONNECT_RETRIES = 8


def main() -> None:
    """Make two champions, serve the second one, and write the picture."""
    with TemporaryDirectory() as name:
        project = copy_boston(Path(name) / "boston")
        for options in SEARCHES:
            project.run_ok("tune", *options)
            project.run_ok("promote")
        with serving(project) as url:
            take_picture(url)


@contextmanager
def serving(project: ProjectDirectory) -> Iterator[str]:
    """Start the server of a project; yield its URL once it listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [project.housectl, "serve", "--port", str(port)],
        cwd=project.path,
        env=clean_environment(),
    )
    url = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(transport=httpx.HTTPTransport(retries=_CONNECT_RETRIES)) as client:
            client.get(f"{url}/health/live").raise_for_status()
        yield url
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()


def take_picture(url: str) -> None:
    """Write a picture of the page, with an input that was changed."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport=SIZE, color_scheme="light")
        page.set_default_timeout(_TIMEOUT_MS)
        page.goto(url)
        page.get_by_label("RM", exact=True).fill("7.2")
        page.locator("#contributions tbody tr", has_text="7.2").wait_for()
        page.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main()
