"""Decisions: a step runs if its inputs differ from those of its last success. Pure."""

from collections.abc import Iterator, Sequence

from housectl.contract.bundle_record import SHORT_DIGEST
from housectl.contract.history import Action, HistoryEntry, earlier_champions
from housectl.contract.path_names import is_digest
from housectl.pipeline.step_inputs import StepInputs
from housectl.pipeline.steps import Decision, Step
from housectl.store.step_records import StepRecord, StepState

_LONGEST_VALUE = 60


def decide(record: StepRecord | None, inputs: StepInputs) -> Decision:
    """Decide if a step runs, from the record of its last success and its present inputs."""
    if record is None:
        return Decision(runs=True, reason="no record of an earlier success")
    changes = describe_changes(record.inputs, inputs)
    if record.state is StepState.STARTED:
        return _unfinished(record, changes)
    if changes:
        return Decision(runs=True, reason=changes)
    return Decision(runs=False, reason=f"unchanged since {record.at}")


def decide_forced(step: Step, from_step: Step) -> Decision:
    """Return the decision to run a step because of `--from`."""
    reason = "requested" if step is from_step else f"it follows {from_step}, which was requested"
    return Decision(runs=True, reason=reason)


def decide_dependent(earlier: Step) -> Decision:
    """Return the decision to run a step whose inputs an earlier step may change."""
    return Decision(runs=True, reason=f"it depends on the result of {earlier}")


def _unfinished(record: StepRecord, changes: str) -> Decision:
    if changes:
        reason = f"the unfinished search {record.experiment} has other inputs: {changes}"
    else:
        reason = f"the search {record.experiment} is unfinished"
    return Decision(runs=True, reason=reason)


def describe_changes(before: StepInputs, now: StepInputs) -> str:
    """Return the changed inputs, a phrase for each; empty without changes."""
    return ", ".join(_changes(before, now))


def _changes(before: StepInputs, now: StepInputs) -> Iterator[str]:
    for name in (*now, *(name for name in before if name not in now)):
        old, new = before.get(name, "unset"), now.get(name, "unset")
        if old != new:
            yield f"{name} changed: {_short(old)} → {_short(new)}"


def _short(value: str) -> str:
    if is_digest(value):
        return value[:SHORT_DIGEST]
    return value if len(value) <= _LONGEST_VALUE else f"{value[:_LONGEST_VALUE]}…"


def promotion_obstacle(
    challenger: str, *, history: Sequence[HistoryEntry], failed: frozenset[str]
) -> str | None:
    """Return the reason why a challenger must not be promoted without a user's command.

    Args:
        challenger: Digest of the challenger, which is not the champion.
        history: All history entries.
        failed: Digests of the bundles that failed a verification.
    """
    version = challenger[:SHORT_DIGEST]
    if challenger in failed:
        return f"the challenger {version} failed a verification"
    if challenger in earlier_champions(history):
        return None
    positions = [index for index, entry in enumerate(history) if entry.bundle == challenger]
    later = history[positions[-1] :] if positions else ()
    rollback = next((entry for entry in later if entry.action is Action.ROLLBACK), None)
    if rollback is None:
        return None
    return f"history entry {rollback.number} rolled the challenger {version} back"
