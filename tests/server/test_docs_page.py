"""The page at /docs in a real browser."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from msgspec import UNSET

from housectl.contract.column_types import Number
from housectl.contract.schema import Exclusion, Feature, Schema, Target
from tests.server.browser import console_of, content_width, open_page
from tests.server.bundles import make_bundle
from tests.server.running import RunningServer, running_bundle

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PHONE_WIDTH = 390
LONG_WORD = "w" * 100
WIDE = Schema(
    features=tuple(
        Feature(
            name=f"{LONG_WORD}{number}",
            minimum=-1.234567e-300,
            maximum=1.234567e300,
            unit=LONG_WORD,
            description=f"{LONG_WORD} described by many short words, and more than fit on a phone.",
            column=Number(nullable=True) if number else UNSET,
        )
        for number in range(20)
    ),
    target=Target(name=f"target{LONG_WORD}", response_key=LONG_WORD, unit=LONG_WORD),
    exclusions=(Exclusion(name=f"excluded{LONG_WORD}", reason=LONG_WORD),),
)

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    path = tmp_path_factory.mktemp("docs")
    with running_bundle(path, make_bundle(path, schema=WIDE)) as server:
        yield server


def test_page_fits_a_phone(server: RunningServer, browser: "Browser") -> None:
    phone = {"width": PHONE_WIDTH, "height": 800}
    with open_page(browser, f"{server.url}/docs", viewport=phone) as page:
        assert content_width(page) == PHONE_WIDTH
        # The measurement finds a page that does not fit.
        page.locator("h1").evaluate("heading => { heading.style.width = '500px' }")
        assert content_width(page) > PHONE_WIDTH


def test_policy_of_the_page_allows_its_style_and_no_script(
    server: RunningServer, browser: "Browser"
) -> None:
    with open_page(browser, "about:blank") as page:
        messages = console_of(page)
        page.goto(f"{server.url}/docs")
        assert messages == []
        # The console has the violations of the page's policy.
        page.locator("h1").evaluate("heading => heading.append(document.createElement('style'))")
        page.locator("h1").evaluate("heading => { heading.lastChild.textContent = 'p {}' }")
        page.wait_for_timeout(0)
        assert any("style" in message for message in messages), messages
