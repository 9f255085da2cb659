"""Waiting until a server serves a bundle."""

import asyncio
from collections.abc import Sequence

from housectl.contract.bundle_record import SHORT_DIGEST
from housectl.deadline import Deadline
from housectl.errors import HousectlError, ServerUnreachableError, VerificationError
from housectl.verification.client import Response, ServerClient, connect
from housectl.verification.event_loop import run
from housectl.verification.limits import Limits
from housectl.verification.outcome import Outcome
from housectl.verification.server_checks import describe_served

_POLL_SECONDS = 0.1


async def wait_for_update(
    server: ServerClient, digest: str, *, timeout: float
) -> Sequence[Response]:
    """Return the health over each connection, after waiting for healthy servers to load the bundle.

    Several connections can lead to several servers behind one address.
    """
    deadline = Deadline.after(timeout)
    while True:
        healths = await server.get_over_each_connection("/health")
        if not any(_is_outdated(health, digest) for health in healths) or not deadline.remaining():
            return healths
        await asyncio.sleep(_POLL_SECONDS)


def _is_outdated(health: Response, digest: str) -> bool:
    return health.json_path("status") == "ok" and health.json_path("model_digest") != digest


def wait_until_serving(
    url: str,
    digest: str,
    *,
    timeout: float,
    limits: Limits | None = None,
    reach_timeout: float | None = None,
) -> None:
    """Wait until a server serves the bundle with this digest.

    Args:
        url: URL of the server, without a path.
        digest: The full digest of the bundle.
        timeout: Maximum time to wait, in seconds.
        limits: Limits of each request.
        reach_timeout: Maximum time until the first response, in seconds; by default `timeout`.

    Raises:
        ServerUnreachableError: No server responds at the URL.
        VerificationError: The server still serves another bundle, or no bundle.
        UsageError: The URL is invalid.
    """
    reach = Deadline.after(timeout if reach_timeout is None else reach_timeout)
    run(_wait_until_serving(url, digest, timeout, reach, limits or Limits()))


async def _wait_until_serving(
    url: str, digest: str, timeout: float, reach: Deadline, limits: Limits
) -> None:
    deadline = Deadline.after(timeout)
    # The last request may begin at the deadline, and has a time limit of its own.
    last = Deadline.after(timeout + limits.request_seconds)
    responded = False
    async with connect(url, limits=limits, deadline=last) as server:
        while (health := await server.get("/health")).json_path("model_digest") != digest:
            responded = responded or health.status is not None
            if not (deadline if responded else reach).remaining():
                raise _update_timeout_error(health, url, digest, timeout)
            await asyncio.sleep(_POLL_SECONDS)


def _update_timeout_error(health: Response, url: str, digest: str, timeout: float) -> HousectlError:
    if health.status is None:
        return unreachable_error(url, health)
    return VerificationError(
        f"The server at {url} did not load {digest[:SHORT_DIGEST]} within {timeout:.3g} s: "
        f"it serves {describe_served(health)}.",
        hint=f"curl {url}/health   # shows the reason",
    )


def unreachable_error(
    url: str, answer: Response, *, path: str = "/health", consequence: str = ""
) -> ServerUnreachableError:
    """Return the error of a server without a usable answer at a path."""
    problem = f"No server responds at {url}"
    if answer.delivery is Outcome.UNPROVEN:
        problem = f"The server at {url} gives no usable answer at {path}"
    return ServerUnreachableError(f"{problem}: {answer.text}.{consequence}", hint="housectl serve")
