"""A reporter that passes on the finished shares of an activity, and nothing else."""

from collections.abc import Callable

from housectl.waiting import SilentProgress


class ShareReceiver(SilentProgress):
    def __init__(self, receive: Callable[[float], object]) -> None:
        self._receive = receive

    def on_share(self, activity: str, share: float) -> None:  # noqa: ARG002
        self._receive(share)
