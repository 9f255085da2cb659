"""The page at / in a real browser: the form, the live prediction, and the followed promotions."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe

from housectl.contract.history import Action
from housectl.contract.schema import Feature, Schema, Target
from housectl.store.local import LocalStore
from tests.server.browser import console_of, content_width, open_page
from tests.server.bundles import make_bundle, promote
from tests.server.page_bundles import EXPENSIVE, HOSTILE, HOSTILE_LEVEL, page_bundle, page_evidence
from tests.server.running import RunningServer, running

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 740}
WIDE = Schema(
    features=tuple(
        Feature(
            name=f"column {number}", minimum=0, maximum=10, description=f"Of group {number % 7}."
        )
        for number in range(300)
    ),
    target=Target(name="total"),
)

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server with two promotions, of which the second was rolled back."""
    path = tmp_path_factory.mktemp("page")
    store = LocalStore(path / "store")
    bundle = page_bundle(path)
    promote(store, bundle)
    store.add_evidence(page_evidence(bundle), name=bundle.digest)
    promote(store, page_bundle(path, cheap=210.0), override=HOSTILE)
    promote(store, bundle, action=Action.ROLLBACK)
    with running(store.path, path / "output.txt") as server:
        yield server


@pytest.fixture(scope="module")
def open_window(server: RunningServer, browser: "Browser") -> Iterator["Page"]:
    """The page of the server, in one window for all tests of the form."""
    with open_page(browser, server.url, viewport=DESKTOP) as page:
        yield page


@pytest.fixture
def page(open_window: "Page") -> "Page":
    """The page after the prediction of the example."""
    open_window.click("#reset")
    expect_prediction(open_window, "200")
    return open_window


def expect_prediction(page: "Page", text: str) -> None:
    page.locator("#prediction", has_text=text).wait_for()


def look(page: "Page") -> None:
    """Let the page look for a new champion now, as it does when its tab is shown again."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def has_area(body: str | None, area: float) -> bool:
    """Return True if the body of a request has a row with this area."""
    return bool(body) and json.loads(body or "").get("area") == area


def test_page_shows_the_model_without_violations_of_its_policy(
    server: RunningServer, browser: "Browser"
) -> None:
    with open_page(browser, "about:blank") as page:
        messages = console_of(page)
        page.goto(server.url)
        expect_prediction(page, "200")
        assert page.title() == "Predict price"
        assert "Champion 3, version" in page.inner_text("#serving")
        assert "40 % lower than that of the linear model" in page.inner_text("#quality")
        assert "Above about 40 % of the training rows." in page.inner_text("#distribution")
        assert page.locator("#history circle.promotion.is-override title").count() == 1
        page.click("#history summary")
        rows = page.locator("#history tbody tr").all_inner_texts()
        assert [row.split()[:2] for row in rows] == [
            ["3", "rollback"],
            ["2", "promotion"],
            ["1", "promotion"],
        ]
        assert messages == []


def test_names_are_shown_as_text(page: "Page") -> None:
    assert HOSTILE in page.locator(".feature .name").all_inner_texts()
    assert HOSTILE_LEVEL in page.locator(".feature select").first.inner_text()
    assert HOSTILE in page.inner_text("#description")
    assert HOSTILE in (page.text_content("#history table") or "")
    assert page.locator("main img, main b").count() == 0
    assert page.title() == "Predict price"


def test_prediction_follows_each_kind_of_input(page: "Page") -> None:
    page.fill("#feature-1", "4.5")
    page.select_option("#feature-2", label=HOSTILE_LEVEL)
    page.select_option("#feature-3", label="(missing)")
    page.locator(".feature:has(#feature-5)").get_by_label("missing").check()
    page.fill("#feature-4", "1998-02-03T04:05:06")
    with page.expect_request(lambda request: has_area(request.post_data, 101)) as sent:
        page.fill("#feature-0", "101")
    expect_prediction(page, "450")
    assert json.loads(sent.value.post_data or "") == {
        "area": 101,
        "rooms": 4.5,
        HOSTILE: HOSTILE_LEVEL,
        "pool": None,
        "sold": "1998-02-03T04:05:06",
        "built": None,
    }
    page.click("#reset")
    expect_prediction(page, "200")
    assert page.input_value("#feature-1") == "3"


def test_contributions_follow_the_prediction(page: "Page") -> None:
    rows = page.locator("#contributions tbody tr")
    rows.first.locator("text=100").wait_for()
    assert rows.first.inner_text().split() == ["area", "80", "\N{MINUS SIGN}100"]
    assert HOSTILE in page.inner_text("#contributions table")
    assert "300 thousand euros" in page.inner_text("#contributions caption")
    page.fill("#feature-0", "150")
    rows.first.locator("text=+150").wait_for()
    assert rows.count() == 6


def test_last_of_many_changes_wins(page: "Page") -> None:
    for area in [*range(90, 110), 90]:
        page.fill("#feature-0", str(area))
    expect_prediction(page, "200")
    page.fill("#feature-0", "140")
    expect_prediction(page, "450")
    assert page.inner_text("#prediction") == f"{EXPENSIVE:g}"


def test_keyboard_moves_a_slider(page: "Page") -> None:
    slider = page.get_by_label("area, slider")
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert float(page.input_value("#feature-0")) > 80
    page.keyboard.press("End")
    expect_prediction(page, "450")
    assert page.input_value("#feature-0") == "300"
    assert slider.get_attribute("aria-valuetext") == "300 m2"
    page.get_by_label("sold, slider").focus()
    page.keyboard.press("Home")
    assert page.input_value("#feature-4") == "1970-01-01"


@pytest.mark.parametrize(
    ("number", "value", "text"),
    [
        (0, "301", "Outside the training range 12 to 300 m2."),
        (4, "2000-01-02", "Outside the training range 1970-01-01 to 2000-01-01."),
        (5, "31.12.1969", "Outside the training range 01.01.1970 to 01.01.2000."),
    ],
)
def test_value_outside_the_training_range_is_marked(
    page: "Page", number: int, value: str, text: str
) -> None:
    page.fill(f"#feature-{number}", value)
    assert page.inner_text(f"#feature-{number}-outside") == text
    assert f"feature-{number}-outside" in (
        page.get_attribute(f"#feature-{number}", "aria-describedby") or ""
    )


def test_level_outside_training_is_marked(page: "Page") -> None:
    page.select_option("#feature-2", label="(another text)")
    assert page.inner_text("#feature-2-outside") == "Not among the levels in training."
    expect_prediction(page, "200")


def test_error_of_the_server_is_shown_at_its_field(page: "Page") -> None:
    page.fill("#feature-0", "12 rooms")
    page.locator("#feature-0-error", has_text="is not a number").wait_for()
    assert page.get_attribute("#feature-0", "aria-invalid") == "true"
    assert page.inner_text("#problem") == "Correct the marked inputs."
    page.fill("#feature-0", "")
    page.locator("#feature-0-error", has_text="is null").wait_for()
    page.fill("#feature-0", "120")
    expect_prediction(page, "450")
    assert page.locator("#feature-0-error").is_hidden()
    assert page.locator("#problem").is_hidden()


@pytest.mark.parametrize(
    ("scheme", "size"), [("light", PHONE), ("dark", DESKTOP)], ids=["light phone", "dark desktop"]
)
def test_page_is_accessible_and_fits(
    server: RunningServer, browser: "Browser", scheme: str, size: dict[str, int]
) -> None:
    # The checks are a script, which the policy of the page forbids.
    options = {"viewport": size, "color_scheme": scheme, "bypass_csp": True}
    with open_page(browser, server.url, **options) as page:
        expect_prediction(page, "200")
        page.fill("#feature-0", "999")
        page.fill("#feature-1", "many")
        page.locator("#feature-1-error", has_text="is not a number").wait_for()
        for details in page.locator("summary").all():
            details.click()
        assert content_width(page) == size["width"]
        report = Axe().run(page)
        assert report.violations_count == 0, report.generate_report()


def test_page_works_behind_a_proxy_that_adds_a_prefix(
    server: RunningServer, browser: "Browser"
) -> None:
    with open_page(browser, "about:blank") as page:
        prefix = f"{server.url}/models/flats"
        page.route(
            f"{prefix}/**",
            lambda route: route.fulfill(
                response=route.fetch(url=route.request.url.replace(prefix, server.url))
            ),
        )
        outside: list[str] = []
        page.on("request", lambda request: outside.append(request.url))
        page.goto(f"{prefix}/")
        expect_prediction(page, "200")
        assert not [url for url in outside if not url.startswith(prefix)]
        # The page polls on, and a request must not be answered after its end.
        page.unroute_all(behavior="ignoreErrors")


def test_page_follows_the_store_from_before_the_first_promotion(
    browser: "Browser", store: LocalStore, output: Path, tmp_path: Path
) -> None:
    with (
        running(store.path, output) as server,
        open_page(browser, server.url, viewport=DESKTOP) as page,
    ):
        page.locator("h1", has_text="No model serves yet").wait_for()
        assert "housectl promote" in page.inner_text("#empty")
        promote(store, page_bundle(tmp_path))
        expect_prediction(page, "200")
        assert page.locator("#empty").is_hidden()
        page.fill("#feature-1", "7")
        promote(store, page_bundle(tmp_path, cheap=210.0))
        server.wait_for(champion=2)
        look(page)
        page.locator("#notice", has_text="Champion 2 replaced champion 1.").wait_for()
        expect_prediction(page, "210")
        assert page.input_value("#feature-1") == "7"
        promote(store, make_bundle(tmp_path, schema=WIDE))
        server.wait_for(champion=3)
        look(page)
        page.locator("#notice", has_text="Champion 3 replaced champion 2.").wait_for()
        assert page.locator(".feature:visible").count() == 300
        page.locator("#contributions", has_text="earlier version").wait_for()
        page.fill("#filter", "group 3")
        assert page.inner_text("#filter-count") == "43 of 300 features"
        assert page.locator(".feature:visible").count() == 43
