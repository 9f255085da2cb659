import asyncio
from threading import Event

import pytest
from starlette.exceptions import HTTPException

from housectl_server.endpoints import prediction_thread
from housectl_server.endpoints.prediction_thread import MAX_WAITING_BYTES, PredictionThread


def test_jobs_run_in_their_order_while_the_loop_goes_on() -> None:
    async def run() -> list[int]:
        thread, gate, results = PredictionThread(), Event(), []
        first = asyncio.create_task(thread.run(lambda: gate.wait() and 1, size=1))
        others = [
            asyncio.create_task(thread.run(lambda number=number: results.append(number), size=1))
            for number in range(3)
        ]
        await asyncio.sleep(0)
        assert not first.done()
        gate.set()
        await asyncio.gather(first, *others)
        return results

    assert asyncio.run(run()) == [0, 1, 2]


def test_error_of_a_job_is_raised_and_the_next_one_runs() -> None:
    async def run() -> int:
        thread = PredictionThread()
        with pytest.raises(ZeroDivisionError):
            await thread.run(lambda: 1 // 0, size=MAX_WAITING_BYTES)
        return await thread.run(lambda: 7, size=MAX_WAITING_BYTES)

    assert asyncio.run(run()) == 7


def test_too_many_waiting_bytes_are_refused() -> None:
    async def run() -> None:
        thread, gate = PredictionThread(), Event()
        first = asyncio.create_task(thread.run(gate.wait, size=MAX_WAITING_BYTES))
        await asyncio.sleep(0)
        with pytest.raises(HTTPException) as caught:
            await thread.run(lambda: None, size=1)
        assert (caught.value.status_code, caught.value.headers) == (503, {"Retry-After": "1"})
        gate.set()
        assert await first

    asyncio.run(run())


def test_job_that_waits_for_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prediction_thread, "MAX_WAITING_SECONDS", -1)
    calls: list[int] = []

    async def run() -> None:
        with pytest.raises(HTTPException, match="503"):
            await PredictionThread().run(lambda: calls.append(1), size=1)

    asyncio.run(run())
    assert not calls
