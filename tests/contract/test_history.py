import msgspec
import pytest

from housectl.contract.history import (
    MAX_OVERRIDE_LENGTH,
    Action,
    HistoryEntry,
    earlier_champions,
    override_of,
)
from housectl.contract.record import MalformedRecordError

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


def entry(text: str = "+A") -> HistoryEntry:
    return msgspec.structs.replace(history(text)[-1], bundle="0" * 64)


def test_only_overrides_have_a_format_that_earlier_versions_cannot_read() -> None:
    plain = entry().to_json()
    assert b'"schema_version": 2' in plain
    assert b"override" not in plain
    override = entry().with_override("one reason")
    assert b'"schema_version": 3' in override.to_json()
    assert HistoryEntry.from_json(override.to_json()) == override


@pytest.mark.parametrize(
    "fields",
    [
        {"override": ""},
        {"override": " \n\t"},
        {"override": "x" * (MAX_OVERRIDE_LENGTH + 1)},
        {"override": None},
        {"override": ["one reason"]},
        {"schema_version": 2},
        {"schema_version": 1},
        {"action": "rollback"},
        {"nonce": None},
    ],
    ids=lambda fields: "-".join(f"{name}={str(value)[:9]}" for name, value in fields.items()),
)
def test_invalid_override_is_rejected(fields: dict[str, object]) -> None:
    content = msgspec.to_builtins(entry().with_override("one reason"))
    with pytest.raises(MalformedRecordError):
        HistoryEntry.from_json(msgspec.json.encode(content | fields))


def test_format_3_without_override_is_rejected() -> None:
    content = msgspec.to_builtins(entry()) | {"schema_version": 3}
    with pytest.raises(MalformedRecordError):
        HistoryEntry.from_json(msgspec.json.encode(content))


@pytest.mark.parametrize(
    ("changes", "override"),
    [
        ("", None),
        ("+A", None),
        ("+A!", "why 1"),
        ("+A! +B -A", "why 1"),
        ("+A! +B", None),
        ("+A! +B +A", None),
        ("+A +B +A!", "why 3"),
        ("+A! +B! -A", "why 1"),
    ],
)
def test_last_promotion_of_the_champion_decides_on_its_origin(
    changes: str, override: str | None
) -> None:
    entries = [
        each.with_override(f"why {each.number}") if change.endswith("!") else each
        for each, change in zip(history(changes.replace("!", "")), changes.split(), strict=True)
    ]
    bundle = entries[-1].bundle if entries else "A"
    assert override_of(bundle, entries) == override
