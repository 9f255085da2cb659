"""The page at /docs in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import UNSET

from housectl.contract.column_types import Number
from housectl.contract.schema import Exclusion, Feature, Schema, Target
from tests.server.browser import console_of, content_width
from tests.server.bundles import make_bundle
from tests.server.running import RunningServer, running_bundle

PHONE_WIDTH = 390
POLICY = "default-src 'none'"
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


def test_page_fits_a_phone(server: RunningServer, tmp_path: Path) -> None:
    page = server.client.get("/docs").text
    assert content_width(page, screen_width=PHONE_WIDTH, scratch=tmp_path) <= PHONE_WIDTH
    # The measurement finds a page that does not fit.
    wide = page.replace("</h1>", '</h1><pre style="width: 500px">')
    assert content_width(wide, screen_width=PHONE_WIDTH, scratch=tmp_path) > PHONE_WIDTH


def test_policy_of_the_page_allows_its_style_and_no_script(
    server: RunningServer, tmp_path: Path
) -> None:
    assert console_of(f"{server.url}/docs", scratch=tmp_path) == ""
    # The console has the violations of another page.
    violation = f'<meta http-equiv=Content-Security-Policy content="{POLICY}"><style>p {{}}</style>'
    assert "style" in console_of(f"data:text/html,{violation}", scratch=tmp_path)
