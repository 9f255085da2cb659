"""Pages in a real browser: Chromium without a window."""

import re
import shutil
import subprocess
from html import escape
from pathlib import Path

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_TIMEOUT_SECONDS = 120


def find_browser() -> str | None:
    """Return the path of Chromium, or None if it is missing."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


def content_width(page: str, *, screen_width: int, scratch: Path) -> int:
    """Return the width of a page's content on a screen: more than the screen's if it overflows."""
    frame = scratch / "frame.html"
    frame.write_text(
        f'<title></title><iframe style="border: 0; width: {screen_width}px; height: 800px" '
        'onload="document.title = this.contentDocument.documentElement.scrollWidth" '
        f'srcdoc="{escape(page)}"></iframe>'
    )
    dom = _run("--dump-dom", frame.as_uri(), scratch=scratch).stdout
    width = re.search(r"<title>(\d+)</title>", dom)
    assert width, dom
    return int(width[1])


def console_of(url: str, *, scratch: Path) -> str:
    """Return the console of a page, with the violations of its policy."""
    output = _run("--enable-logging=stderr", "--dump-dom", url, scratch=scratch)
    return "\n".join(line for line in output.stderr.splitlines() if ":CONSOLE" in line)


def _run(*arguments: str, scratch: Path) -> "subprocess.CompletedProcess[str]":
    browser = find_browser()
    assert browser, "the test lacks the mark `browser`"
    profile = scratch / "profile"
    options = ("--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}")
    return subprocess.run(
        [browser, *options, *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=_TIMEOUT_SECONDS,
    )
