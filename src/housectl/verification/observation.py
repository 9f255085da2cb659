"""The observation of a server: all of its answers during one run."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from housectl.verification.client import Response, ServerClient
from housectl.verification.probes import Answer, Probe


@dataclass(frozen=True, kw_only=True)
class Observation:
    """All answers of a server.

    Attributes:
        healths: Its health before and after the probes, over each connection.
        openapi: Its OpenAPI document.
        answers: Its answers to the probes, in their order.
    """

    healths: Sequence[Response]
    openapi: Response
    answers: Sequence[Answer]

    @property
    def responses(self) -> Iterator[Response]:
        """Every response."""
        yield from self.healths
        yield self.openapi
        yield from (answer.response for answer in self.answers)

    def answers_to(self, check: str) -> list[Answer]:
        """Return the answers to the probes of a check."""
        return [answer for answer in self.answers if answer.probe.check == check]


async def observe(
    server: ServerClient,
    probes: Sequence[Probe],
    *,
    batches: Callable[[Response], Sequence[Probe]],
    before: Sequence[Response],
) -> Observation:
    """Send all probes, one after another, so that each latency is that of a single request.

    Args:
        server: The server.
        probes: The probes in their order.
        batches: Returns further probes, for the batch protocols of an OpenAPI document.
        before: Its health before the probes.
    """
    answers = [await _ask(server, probe) for probe in probes]
    openapi = await server.get("/openapi.json")
    answers += [await _ask(server, probe) for probe in batches(openapi)]
    after = await server.get_over_each_connection("/health")
    return Observation(healths=[*before, *after], openapi=openapi, answers=answers)


async def _ask(server: ServerClient, probe: Probe) -> Answer:
    started = time.perf_counter()
    response = await server.post(probe.path, probe.body)
    milliseconds = (time.perf_counter() - started) * 1000
    return Answer(probe=probe, response=response, milliseconds=milliseconds)
