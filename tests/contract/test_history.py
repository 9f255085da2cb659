import pytest

from housectl.contract.history import Action, HistoryEntry, earlier_champions

ACTIONS = {"+": Action.PROMOTION, "-": Action.ROLLBACK}


def history(text: str) -> list[HistoryEntry]:
    """Return a history such as `+A +B -A`: promotions and rollbacks, each to a bundle."""
    return [
        HistoryEntry(
            number=number,
            previous=None,
            action=ACTIONS[change[0]],
            bundle=change[1:],
            at="",
            by="",
            reason="",
            holdout_mse=1.0,
            nonce="0",
        )
        for number, change in enumerate(text.split(), start=1)
    ]


@pytest.mark.parametrize(
    ("changes", "earlier"),
    [
        ("", ""),
        ("+A", ""),
        ("+A +B", "A"),
        ("+A +B +C", "B A"),
        ("+A +B +C -B", "A"),
        ("+A +B +C -B -A", ""),
        ("+A +B +C -A", ""),
        ("+A +B -A +C", "A"),
        ("+A +B -A +B", "A"),
        ("+A +B +A", "B"),
        ("+A +B +A +C -A", "B"),
        ("+A +B +A -B", "A"),
        ("+A +B -A -B", "A"),
        ("+A +A", ""),
    ],
)
def test_rollbacks_lead_further_back(changes: str, earlier: str) -> None:
    assert earlier_champions(history(changes)) == tuple(earlier.split())
