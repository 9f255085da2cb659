"""Requests that schemathesis generates from the OpenAPI: valid and invalid ones.

`python -m tests.soak.generated_requests URL SECONDS` prints the number of requests and the failures
as JSON.
"""

import itertools
import json
import os
import sys
import time
from typing import TYPE_CHECKING

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy
    from schemathesis.schemas import APIOperation

_EXAMPLES = 10
# Generating costs much more CPU time than answering.
_NICENESS = 5
_MAX_FAILURES = 20
_MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


class _Generator:
    """Sends generated requests; `broken` are connections that a killed worker broke."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self.requests = 0
        self.broken = 0
        self.failures: list[str] = []

    def run(self, operation: "APIOperation", *, mode: GenerationMode, seed_number: int) -> None:
        """Send requests of one operation."""
        strategy: SearchStrategy[Case] = operation.as_strategy(generation_mode=mode)

        @seed(seed_number)
        @settings(
            max_examples=_EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,
        )
        @given(case=strategy)
        def send(case: Case) -> None:
            if time.monotonic() < self._deadline:
                self._send(case)

        try:
            send()
        except Unsatisfiable:
            return  # an operation without parameters has no invalid requests

    def _send(self, case: Case) -> None:
        try:
            response = case.call(timeout=30)
        except requests.ConnectionError:
            self.broken += 1
            return
        self.requests += 1
        is_shed = response.status_code == 503 and "retry-after" in response.headers
        if response.status_code >= 500 and not is_shed and len(self.failures) < _MAX_FAILURES:
            self.failures.append(f"{case.as_curl_command()}: {response.status_code}")


def main(url: str, seconds: float) -> None:
    """Send generated requests to all operations in turn until the time is over."""
    os.nice(_NICENESS)
    deadline = time.monotonic() + seconds
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    operations = [result.ok() for result in schema.get_all_operations()]
    generator = _Generator(deadline)
    for number in itertools.count():
        for operation, mode in itertools.product(operations, _MODES):
            if time.monotonic() > deadline:
                print(
                    json.dumps(
                        {
                            "requests": generator.requests,
                            "broken": generator.broken,
                            "failures": generator.failures,
                        }
                    )
                )
                return
            generator.run(operation, mode=mode, seed_number=number)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
