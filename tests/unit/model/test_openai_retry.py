"""When to ask again, and how long to wait."""

import pytest

from agent.openai_rejection import BROKEN, NO_ANSWER, NO_CREDIT, Rejection
from agent.openai_retry import Patience

PATIENCE = Patience(retries=10, seconds=60)


@pytest.mark.parametrize("status", [NO_ANSWER, 408, 409, 429, 500, 502, 503, 504, 529, 599])
def test_what_may_pass_is_asked_again(status: int) -> None:
    assert PATIENCE.pause(Rejection(status), 0) == 0.5


@pytest.mark.parametrize("status", [BROKEN, 302, 400, 401, 403, 404, 413, 422, 451])
def test_what_will_not_pass_is_not_asked_again(status: int) -> None:
    assert PATIENCE.pause(Rejection(status), 0) is None


def test_an_account_without_credit_is_not_asked_again() -> None:
    assert PATIENCE.pause(Rejection(429, code=NO_CREDIT), 0) is None


def test_the_servers_own_word_counts_for_more_than_its_status() -> None:
    assert PATIENCE.pause(Rejection(500, headers={"x-should-retry": "false"}), 0) is None
    assert PATIENCE.pause(Rejection(400, headers={"x-should-retry": "true"}), 0) == 0.5


def test_waiting_doubles_up_to_a_bound_and_jitter_shortens_it() -> None:
    patience, pauses = Patience(retries=7, seconds=1000), []
    while (pause := patience.pause(Rejection(500), 0)) is not None:
        pauses.append(pause)
        patience = patience.after(pause)
    assert pauses == [0.5, 1, 2, 4, 8, 8, 8]
    assert PATIENCE.pause(Rejection(500), 1) == 0.25


def test_patience_ends_when_the_seconds_are_spent() -> None:
    patience = Patience(retries=10, seconds=2)
    assert patience.after(1.6).pause(Rejection(500), 0) is None
    assert patience.after(1.0).pause(Rejection(500), 0) == 1.0


NOW = {"date": "Wed, 01 Jul 2026 12:00:00 GMT"}


@pytest.mark.parametrize(
    "headers, pause",
    [
        ({"retry-after": "3"}, 3),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "3"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "3"}, 3),
        ({"retry-after": "30"}, 30),
        ({"retry-after": "31"}, None),
        ({"retry-after": "86400"}, None),
        ({"retry-after": "Wed, 01 Jul 2026 12:00:07 GMT", **NOW}, 7),
        ({"retry-after": "Wed, 01 Jul 2026 12:01:00 GMT", **NOW}, None),
        ({"retry-after": "Wed, 01 Jul 2026 11:00:00 GMT", **NOW}, 0.5),
        ({"retry-after": "Wed, 01 Jul 2026 12:00:07 GMT"}, 0.5),
        ({"retry-after": "Wed, 01 Jul 2026 12:00:07", **NOW}, 0.5),
        ({"retry-after": "0"}, 0.5),
        ({"retry-after": "-4"}, 0.5),
        ({"retry-after": "nan"}, 0.5),
        ({"retry-after": "inf"}, 0.5),
        ({"retry-after": "later"}, 0.5),
    ],
)
def test_the_server_may_say_when(headers: dict[str, str], pause: float | None) -> None:
    assert PATIENCE.pause(Rejection(429, headers=headers), 0) == pause


def test_jitter_never_comes_sooner_than_the_server_asked() -> None:
    assert PATIENCE.pause(Rejection(429, headers={"retry-after": "10"}), 1) == 11
