"""The pipeline as a Metaflow flow: `python housectl_flow.py run --project DIR`."""

import json
import os
import subprocess
from collections.abc import Mapping

from metaflow import FlowSpec, Parameter, retry, step

CHAMPION_KEPT = 10


class HousectlFlow(FlowSpec):
    """Tune, promote and, with the URL of a server, verify.

    Each step continues an earlier one that was interrupted, so it can be retried. The artifact
    `tuned`, `promoted` or `verified` is the JSON output of the step.
    """

    project = Parameter("project", default=".", help="Directory of housectl.yaml.")
    url = Parameter("url", default="", help="URL of the server; without one, nothing is verified.")

    @retry(times=2, minutes_between_retries=0)
    @step
    def start(self) -> None:
        """Search for the best model, and seal it as the challenger."""
        self.tuned = self._run_until("tune")
        self.next(self.promote)

    @retry(times=2, minutes_between_retries=0)
    @step
    def promote(self) -> None:
        """Promote the challenger if the gate accepts it."""
        self.promoted = self._run_until("promote")
        self.next(self.verify)

    @step
    def verify(self) -> None:
        """Wait until the server serves the champion, and verify it."""
        self.verified = self._run_until("verify") if self.url else None
        self.next(self.end)

    @step
    def end(self) -> None:
        """End the flow."""

    def _run_until(self, last_step: str) -> Mapping[str, object]:
        """Run the pipeline up to a step, and return its JSON output.

        Raises:
            subprocess.CalledProcessError: A step failed; its message is in the log of the task.
        """
        completed = subprocess.run(
            ["housectl", "run", "--to", last_step, "--json"],  # noqa: S607
            cwd=str(self.project),
            env=os.environ | ({"HOUSECTL_URL": str(self.url)} if self.url else {}),
            stdout=subprocess.PIPE,
            check=False,
        )
        if completed.returncode != CHAMPION_KEPT:
            completed.check_returncode()
        output: dict[str, object] = json.loads(completed.stdout)
        return output


if __name__ == "__main__":
    HousectlFlow()
