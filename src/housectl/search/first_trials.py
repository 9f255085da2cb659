"""The trials that can start at once, when a search starts or is resumed."""

from collections.abc import Collection
from itertools import count, islice

from housectl.search.sampler import missing_result


def startable_trials(ended: Collection[int], *, lag: int) -> int:
    """Return the number of trials that can start before another trial ends; at most the lag.

    Katib starts with one request for as many trials as may run at the same time. It would never get
    a suggestion that depends on a trial of the same request.

    Args:
        ended: Numbers of the trials that ended before the search was resumed.
        lag: The lag of the experiment.
    """
    numbers = list(islice((number for number in count() if number not in ended), lag))
    depends = (missing_result(number, ended, lag=lag) is not None for number in numbers)
    return next((index for index, waits in enumerate(depends) if waits), len(numbers))
