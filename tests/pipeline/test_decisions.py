"""Decisions about steps, and promotions that only a user may make."""

import pytest

from housectl.contract.history import Action, HistoryEntry
from housectl.contract.record import new_nonce
from housectl.pipeline.decisions import decide, promotion_obstacle
from housectl.store.step_records import StepRecord, StepState

A, B, C = ("a" * 64, "b" * 64, "c" * 64)
INPUTS = {"data": A, "gate": "holdout", "xgboost": "3.2.0"}


def record(state: StepState = StepState.DONE) -> StepRecord:
    return StepRecord(
        step="tune", state=state, inputs=INPUTS, experiment="boston-1", at="yesterday"
    )


def history(*changes: tuple[Action, str]) -> tuple[HistoryEntry, ...]:
    return tuple(
        HistoryEntry(
            number=number,
            previous=None,
            action=action,
            bundle=bundle,
            at="2026-01-01T00:00:00+00:00",
            by="me",
            reason="a test",
            holdout_mse=1.0,
            nonce=new_nonce(),
        )
        for number, (action, bundle) in enumerate(changes, start=1)
    )


def test_step_without_record_runs() -> None:
    assert decide(None, INPUTS).runs


def test_unchanged_step_is_skipped() -> None:
    decision = decide(record(), dict(reversed(INPUTS.items())))
    assert (decision.runs, decision.reason) == (False, "unchanged since yesterday")


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ({**INPUTS, "data": B}, "data changed: aaaaaaaaaaaa → bbbbbbbbbbbb"),
        ({**INPUTS, "image": "x" * 99}, f"image changed: unset → {'x' * 60}…"),
        ({"data": A, "gate": "holdout"}, "xgboost changed: 3.2.0 → unset"),
        (
            {**INPUTS, "gate": "holdout-and-cv", "xgboost": "3.3.0"},
            "gate changed: holdout → holdout-and-cv, xgboost changed: 3.2.0 → 3.3.0",
        ),
    ],
)
def test_changed_step_runs_and_names_the_changes(inputs: dict[str, str], reason: str) -> None:
    decision = decide(record(), inputs)
    assert (decision.runs, decision.reason) == (True, reason)


def test_unfinished_search_runs() -> None:
    decision = decide(record(StepState.STARTED), INPUTS)
    assert (decision.runs, decision.reason) == (True, "the search boston-1 is unfinished")
    changed = decide(record(StepState.STARTED), {**INPUTS, "data": B})
    assert changed.runs
    assert changed.reason.startswith("the unfinished search boston-1 has other inputs: data")


@pytest.mark.parametrize(
    ("changes", "challenger", "reason"),
    [
        ([], A, None),
        ([(Action.PROMOTION, A)], B, None),
        ([(Action.PROMOTION, A), (Action.PROMOTION, B)], A, None),
        (
            [(Action.PROMOTION, A), (Action.PROMOTION, B), (Action.ROLLBACK, A)],
            B,
            "history entry 3 rolled the challenger bbbbbbbbbbbb back",
        ),
        (
            [
                (Action.PROMOTION, A),
                (Action.PROMOTION, B),
                (Action.ROLLBACK, A),
                (Action.PROMOTION, C),
            ],
            B,
            "history entry 3 rolled the challenger bbbbbbbbbbbb back",
        ),
        (
            [
                (Action.PROMOTION, A),
                (Action.PROMOTION, B),
                (Action.ROLLBACK, A),
                (Action.PROMOTION, B),
                (Action.PROMOTION, C),
            ],
            B,
            None,
        ),
    ],
)
def test_rolled_back_challenger_is_not_promoted(
    changes: list[tuple[Action, str]], challenger: str, reason: str | None
) -> None:
    assert promotion_obstacle(challenger, history=history(*changes), failed=frozenset()) == reason


def test_challenger_with_failed_verification_is_not_promoted() -> None:
    obstacle = promotion_obstacle(A, history=(), failed=frozenset({A}))
    assert obstacle == "the challenger aaaaaaaaaaaa failed a verification"
