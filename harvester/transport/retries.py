"""The same question again: how often, and after what wait. Each wait is told before it."""

import random
from collections.abc import Callable
from typing import TypeVar

import tenacity

from harvester.errors import BrokenBody, HttpStatus, OddHeaders, TimedOut, Unreachable
from harvester.transport.limits import Limits

Answered = TypeVar("Answered")
IsPassing = Callable[[BaseException], bool]


class Retries:
    """`on_wait(seconds, failure)` is called before each wait."""

    def __init__(
        self, sleep: Callable[[float], None], limits: Limits, on_wait: Callable[[float, BaseException], None]
    ) -> None:
        self._sleep = sleep
        self._limits = limits
        self._on_wait = on_wait
        self.count = 0

    def exchange(self, ask: Callable[[], Answered]) -> Answered:
        """While no usable HTTP answer comes."""
        return self._again(ask, _is_passing, self._tries)

    def unreadable(self, ask: Callable[[], Answered], is_passing: IsPassing) -> Answered:
        """While what comes cannot be read."""
        return self._again(ask, is_passing, lambda _error: self._limits.tries_unreadable)

    def _again(
        self,
        ask: Callable[[], Answered],
        is_passing: IsPassing,
        tries: Callable[[BaseException], int],
    ) -> Answered:
        return tenacity.Retrying(
            sleep=self._sleep,
            retry=tenacity.retry_if_exception(is_passing),
            stop=lambda state: state.attempt_number >= tries(_failure(state)),
            wait=self._wait,
            before_sleep=self._tell,
            reraise=True,
        )(ask)

    def _tries(self, error: BaseException) -> int:
        if isinstance(error, Unreachable):
            return self._limits.tries_unreachable
        if isinstance(error, OddHeaders) or (isinstance(error, HttpStatus) and error.status == 500):
            return self._limits.tries_on_500
        return self._limits.tries

    def _wait(self, state: tenacity.RetryCallState) -> float:
        error = _failure(state)
        if isinstance(error, HttpStatus) and error.retry_after is not None:
            return max(1.0, error.retry_after)
        wait = self._limits.backoff * 2.0 ** (state.attempt_number - 1)
        spread = random.uniform(0.5, 1.5)  # noqa: S311  jitter is no secret
        return min(wait, self._limits.backoff_cap) * spread

    def _tell(self, state: tenacity.RetryCallState) -> None:
        assert state.next_action is not None
        self.count += 1
        self._on_wait(state.next_action.sleep, _failure(state))


def _failure(state: tenacity.RetryCallState) -> BaseException:
    failure = state.outcome.exception() if state.outcome else None
    assert failure is not None, "it is asked only about failures"
    return failure


def _is_passing(error: BaseException) -> bool:
    """Worth another try."""
    return isinstance(error, Unreachable | TimedOut | BrokenBody | OddHeaders | HttpStatus)
