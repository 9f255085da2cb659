"""Ways to fool `verify`. Each is a proxy before the champion's server that makes one fault."""

import gzip
import itertools
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from statistics import fmean
from zlib import crc32

from housectl.contract.bundle import Bundle
from tests.verification.impostor import Answer, Reply, Request

PROBLEM = {"content-type": "application/problem+json"}
FIRST_RIGHT_ANSWERS = 100
SHIFT = 1e-7


class Tricks:
    """Makes the answers of each trick.

    Args:
        bundle: The champion.
        champion: The server of the champion.
        other: The server of another model with the same schema.
    """

    def __init__(self, bundle: Bundle, champion: Answer, other: Answer) -> None:
        golden = bundle.golden
        self._champion = champion
        self._other = other
        self._bundle = bundle
        self._features = golden.features
        self._key = bundle.record.schema.target.response_key
        self._golden = {row.row: row.prediction for row in golden.rows}
        self._mean = fmean(row.prediction for row in golden.rows)

    def honest(self) -> Answer:
        """No trick: the proxy that `verify` must accept."""
        return self._champion

    def golden_rows_only(self) -> Answer:
        """The golden rows are cached, and other rows get the mean."""
        return self._changing(lambda row, _: self._golden.get(row, self._mean))

    def add_one_elsewhere(self) -> Answer:
        return self._changing(lambda row, right: right + (row not in self._golden))

    def mean_predictor(self) -> Answer:
        return self._changing(lambda *_: self._mean)

    def right_once_per_row(self) -> Answer:
        return self._right_at_most(1)

    def right_twice_per_row(self) -> Answer:
        return self._right_at_most(2)

    def first_answers_only(self) -> Answer:
        number = itertools.count()
        return self._changing(lambda _, right: right + (next(number) >= FIRST_RIGHT_ANSWERS))

    def rounded(self) -> Answer:
        return self._changing(lambda _, right: round(right, 2))

    def rounded_to_float32(self) -> Answer:
        return self._changing(lambda _, right: float(f"{right:.7g}"))

    def wrong_for_one_row_in_ten(self) -> Answer:
        return self._changing(lambda row, right: right + (crc32(repr(row).encode()) % 10 == 0))

    def near_golden_rows_only(self) -> Answer:
        def is_near(row: tuple[float, ...]) -> bool:
            return any(
                all(abs(a - b) <= 0.1 * abs(b) for a, b in zip(row, golden, strict=True))
                for golden in self._golden
            )

        return self._changing(lambda row, right: right if is_near(row) else self._mean)

    def in_range_only(self) -> Answer:
        ranges = [(each.minimum, each.maximum) for each in self._bundle.record.schema.features]

        def is_inside(row: tuple[float, ...]) -> bool:
            return all(low <= value <= high for value, (low, high) in zip(row, ranges, strict=True))

        return self._changing(lambda row, right: right if is_inside(row) else self._mean)

    def shifted_splits(self) -> Answer:
        """Values are moved by a ten-millionth, so rows at splits reach another leaf."""

        def answer(request: Request) -> Reply:
            right = self._champion(request)
            if (
                not request.is_prediction
                or right.status != 200
                or self._row(request) in self._golden
            ):
                return right
            moved = {name: float(str(request.row[name])) * (1 + SHIFT) for name in self._features}
            return self._champion(replace(request, body=json.dumps(moved).encode()))

        return answer

    def one_user_agent_only(self) -> Answer:
        return self._right_if(lambda request: "python" in request.headers["user-agent"])

    def first_connection_only(self) -> Answer:
        clients: list[int] = []

        def is_first(request: Request) -> bool:
            clients.append(request.client)
            return request.client == clients[0]

        return self._right_if(is_first)

    def ordered_keys_only(self) -> Answer:
        return self._right_if(lambda request: [*request.row][:1] == [self._features[0]])

    def older_champion(self) -> Answer:
        return self._other

    def other_model_with_right_name(self) -> Answer:
        """Another model answers, in the name of the champion."""

        def answer(request: Request) -> Reply:
            if not request.is_prediction:
                return self._champion(request)
            return self._other(request).with_headers(x_model_digest=self._bundle.digest)

        return answer

    def degraded(self) -> Answer:
        return self._with_health(lambda health, _: health | {"status": "degraded"})

    def degraded_later(self) -> Answer:
        return self._with_health(
            lambda health, number: health | {"status": "ok" if number < 5 else "degraded"}
        )

    def wrong_digest_header(self) -> Answer:
        return lambda request: self._champion(request).with_headers(x_model_digest="0" * 64)

    def no_digest_header(self) -> Answer:
        def answer(request: Request) -> Reply:
            reply = self._champion(request)
            return Reply(reply.status, reply.body, {"content-type": reply.headers["content-type"]})

        return answer

    def wrong_status(self) -> Answer:
        """The right predictions have status 202."""
        return self._replacing(200, lambda reply: Reply(202, reply.body, reply.headers))

    def refusals_with_200(self) -> Answer:
        return self._replacing(422, lambda reply: Reply(200, reply.body, reply.headers))

    def refusals_with_404(self) -> Answer:
        return self._replacing(422, lambda reply: Reply(404, reply.body, reply.headers))

    def refusals_without_field(self) -> Answer:
        return self._with_errors(lambda _: [])

    def refusals_from_template(self) -> Answer:
        return self._with_errors(lambda _: [{"field": self._features[0]}])

    def refusals_naming_all(self) -> Answer:
        return self._with_errors(lambda _: [{"field": name} for name in self._features])

    def repaired_rows_refused(self) -> Answer:
        """A row stays refused after its mistake was repaired."""
        refused: set[object] = set()

        def answer(request: Request) -> Reply:
            reply = self._champion(request)
            values = {(name, str(value)) for name, value in request.row.items()}
            if reply.status == 422:
                refused.update(values)
            is_known = request.is_prediction and not refused.isdisjoint(values)
            return Reply(422, b'{"detail": "refused"}', PROBLEM) if is_known else reply

        return answer

    def slow(self) -> Answer:
        return self._streaming(_slowly)

    def endless(self) -> Answer:
        return self._streaming(lambda body: itertools.chain([body], itertools.repeat(b" " * 1024)))

    def compressed(self) -> Answer:
        """Each answer is compressed, and most of it is padding."""
        padding = b" " * (64 * 1024 * 1024)

        def answer(request: Request) -> Reply:
            reply = self._champion(request)
            if not request.is_prediction or not isinstance(reply.body, bytes):
                return reply
            body = gzip.compress(reply.body) + bomb
            return Reply(reply.status, body, reply.headers).with_headers(content_encoding="gzip")

        bomb = gzip.compress(padding)
        return answer

    def _row(self, request: Request) -> tuple[float, ...]:
        return tuple(float(str(request.row[name])) for name in self._features)

    def _changing(self, change: Callable[[tuple[float, ...], float], float]) -> Answer:
        """Change right predictions, as a function of row and prediction."""

        def answer(request: Request) -> Reply:
            reply = self._champion(request)
            if not request.is_prediction or reply.status != 200:
                return reply
            right = float(str(reply.json[self._key]))
            return reply.with_json({self._key: change(self._row(request), right)})

        return answer

    def _right_at_most(self, times: int) -> Answer:
        asked: Counter[tuple[float, ...]] = Counter()

        def change(row: tuple[float, ...], right: float) -> float:
            asked[row] += 1
            return right + (asked[row] > times)

        return self._changing(change)

    def _right_if(self, condition: Callable[[Request], bool]) -> Answer:
        """Answer some predictions rightly, and others with the mean."""

        def answer(request: Request) -> Reply:
            reply = self._champion(request)
            if not request.is_prediction or reply.status != 200 or condition(request):
                return reply
            return reply.with_json({self._key: self._mean})

        return answer

    def _with_health(
        self, change: Callable[[dict[str, object], int], Mapping[str, object]]
    ) -> Answer:
        number = itertools.count()

        def answer(request: Request) -> Reply:
            reply = self._champion(request)
            if request.path != "/health":
                return reply
            return reply.with_json(change(reply.json, next(number)))

        return answer

    def _replacing(self, status: int, change: Callable[[Reply], Reply]) -> Answer:
        def answer(request: Request) -> Reply:
            reply = self._champion(request)
            return change(reply) if request.is_prediction and reply.status == status else reply

        return answer

    def _with_errors(self, change: Callable[[object], object]) -> Answer:
        return self._replacing(
            422,
            lambda reply: reply.with_json(
                reply.json | {"errors": change(reply.json.get("errors"))}
            ),
        )

    def _streaming(self, stream: Callable[[bytes], Iterator[bytes]]) -> Answer:
        def answer(request: Request) -> Reply:
            reply = self._champion(request)
            if not request.is_prediction or not isinstance(reply.body, bytes):
                return reply
            return Reply(reply.status, stream(reply.body), reply.headers)

        return answer


def _slowly(body: bytes) -> Iterator[bytes]:
    for byte in body:
        time.sleep(0.5)
        yield bytes([byte])


WAYS = tuple(
    name for name, value in vars(Tricks).items() if not name.startswith("_") and name != "honest"
)
