"""Pages in a real browser: Chromium without a window."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_TIMEOUT_MS = 120_000


def find_browser() -> str | None:
    """Return the path of Chromium, or None if it is missing."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


@contextmanager
def running_browser() -> Iterator["Browser"]:
    """Start Chromium."""
    from playwright.sync_api import sync_playwright

    path = find_browser()
    assert path, "the test lacks the mark `browser`"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def open_page(browser: "Browser", url: str, **options: object) -> Iterator["Page"]:
    """Open a URL in a window of its own.

    Args:
        browser: The browser.
        url: The URL.
        options: Options of the window, such as its size; see Playwright's `new_context`.
    """
    context = browser.new_context(**options)  # type: ignore[arg-type]
    context.set_default_timeout(_TIMEOUT_MS)
    page = context.new_page()
    page.goto(url)
    yield page
    context.close()


def console_of(page: "Page") -> list[str]:
    """Return a list that gets the errors of a page, with the violations of its policy."""
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    return messages


def content_width(page: "Page") -> int:
    """Return the width of a page's content: more than the window's if it overflows."""
    width: int = page.evaluate("document.documentElement.scrollWidth")
    return width
