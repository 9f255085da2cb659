"""The canary: a version that answers a part of the predictions instead of the champion."""

from dataclasses import dataclass
from hashlib import blake2b

from starlette.types import Scope

from housectl.contract.bundle import Bundle
from housectl_server.http.answer_headers import Header, model_headers, request_id_of
from housectl_server.model.served_model import ServedModel
from housectl_server.monitoring.model_counts import ModelCounts
from housectl_server.monitoring.prediction_log import LogPredictions
from housectl_server.monitoring.request_counts import RequestCounts
from housectl_server.monitoring.snapshot import CanarySnapshot
from housectl_server.versions.eligibility import NO_CHAMPION, Eligibility, eligibility

_HASH_BYTES = 8


@dataclass(frozen=True)
class Split:
    """Chooses a part of the requests by a hash, so equal keys always get the same model.

    Attributes:
        percent: Part of the requests, between 0 and 100.
        header: Name of the header whose value is the key, in lower case. None, or a request without
            the header: the key is the request's id.
    """

    percent: float
    header: str | None = None

    def chooses(self, scope: Scope) -> bool:
        """Return True if a request is chosen."""
        key = _header(scope, self.header.encode()) if self.header else None
        return self.chooses_key(request_id_of(scope).encode() if key is None else key)

    def chooses_key(self, key: bytes) -> bool:
        """Return True if requests with a key are chosen."""
        number = int.from_bytes(blake2b(key, digest_size=_HASH_BYTES).digest())
        fraction: float = number / 256**_HASH_BYTES
        return fraction * 100 < self.percent


class Canary:
    """A version that answers the requests that a split chooses, and counts them.

    Args:
        bundle: The version.
        split: Chooses the requests.
        log: Logs the predictions; None to log nothing.

    Attributes:
        headers: Headers of an answer that name the version.
        eligibility: Status of the canary, and the reason if it does not answer.

    Raises:
        BundleError: The graph is invalid, or its prediction for a golden row differs.
    """

    def __init__(self, bundle: Bundle, split: Split, *, log: LogPredictions | None = None) -> None:
        self.bundle = bundle
        self.split = split
        self.eligibility: Eligibility = NO_CHAMPION
        self.headers: tuple[Header, ...] = model_headers(bundle.digest, bundle.version)
        self._counts = ModelCounts(bundle, number=0)
        self._requests = RequestCounts()
        self.record_request = self._requests.add
        self._predictions = 0
        self.model = ServedModel(bundle, record=self._counts.record, log=log)

    def follow(self, champion: Bundle | None) -> None:
        """Answer beside another champion from now on."""
        self.eligibility = eligibility(self.bundle, champion)

    def inherit(self, former: CanarySnapshot | None) -> None:
        """Continue the counts of the worker that this one replaces."""
        if former and former.model.description.digest == self.bundle.digest:
            self._counts.inherit(former.model)
            self._predictions = former.predictions
            self._requests = RequestCounts(former.requests)
            self.record_request = self._requests.add

    def snapshot(self) -> CanarySnapshot:
        """Return the counts of all requests."""
        self._predictions += self._counts.flush()
        self._requests.flush()
        return CanarySnapshot(
            requests=self._requests.series,
            predictions=self._predictions,
            model=self._counts.snapshot(),
        )


def _header(scope: Scope, name: bytes) -> bytes | None:
    values = (value for each, value in scope["headers"] if each == name)
    value: bytes | None = next(values, None)
    return value
