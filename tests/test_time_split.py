"""A project with a time column, from the CSV file to the champion."""

import random
from datetime import date, timedelta
from pathlib import Path

import pytest

from housectl.contract.bundle_record import CARD_FILE
from housectl.store.local import LocalStore
from tools.project_directory import ProjectDirectory

pytestmark = pytest.mark.slow

SALES = 240
SALES_PER_DAY = 2


def write_sales(path: Path) -> None:
    """Write sales in the order of their days, with a step that no straight line can follow."""
    rng = random.Random(2)
    lines = ["sold,area,rooms,price"]
    for sale in range(SALES):
        day = date(2022, 1, 1) + timedelta(days=3 * (sale // SALES_PER_DAY))
        area, rooms = round(rng.uniform(20, 200), 1), rng.randint(1, 6)
        price = area + 600 * (rooms in {2, 5}) + rng.gauss(0, 20) + sale * 0.1
        lines.append(f"{day},{area},{rooms},{price:.1f}")
    path.write_text("\n".join(lines) + "\n")


def test_draft_splits_by_time_and_its_model_is_promoted(tmp_path: Path) -> None:
    write_sales(tmp_path / "sales.csv")
    project = ProjectDirectory(tmp_path)
    drafted = project.run_ok("init", "--data", "sales.csv", "--target", "price")
    assert "The rows are in the order of sold" in drafted.err
    project.run_ok("tune", "--trials", "2", "--family", "xgboost")
    project.run_ok("promote")
    store = LocalStore(project.store)
    bundle = store.bundle(store.history()[-1].bundle)
    recipe = bundle.record.recipe
    assert recipe.split.time_column == "sold"
    card = (project.store / "bundles" / bundle.digest / CARD_FILE).read_text()
    assert "192 training rows, 48 held-out rows" in card
    assert "Held out by time: the latest rows are held out, and folds go forward" in card
    assert "The errors measure predictions for later values of `sold`." in card
