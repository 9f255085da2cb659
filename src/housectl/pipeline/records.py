"""Step records of a pipeline, with the present time."""

from datetime import UTC, datetime

import msgspec

from housectl.pipeline.step_inputs import StepInputs
from housectl.pipeline.steps import Step
from housectl.store.step_records import StepRecord, StepState


def started_search(inputs: StepInputs, *, attempt: int, experiment: str) -> StepRecord:
    """Return the record of a search that is about to start."""
    return StepRecord(
        step=Step.TUNE,
        state=StepState.STARTED,
        inputs=inputs,
        attempt=attempt,
        experiment=experiment,
        at=_now(),
    )


def finished_search(started: StepRecord, *, challenger: str) -> StepRecord:
    """Return the record of a search after its best trial was sealed."""
    return msgspec.structs.replace(started, state=StepState.DONE, challenger=challenger, at=_now())


def finished_step(step: Step, inputs: StepInputs) -> StepRecord:
    """Return the record of a successful step other than the search."""
    return StepRecord(step=step, state=StepState.DONE, inputs=inputs, at=_now())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
