"""Sentences for people."""

from datetime import timedelta

import pytest

from bot.pages.words import span


@pytest.mark.parametrize(
    "length, said",
    [
        (timedelta(seconds=-5), "less than a minute"),
        (timedelta(seconds=59), "less than a minute"),
        (timedelta(seconds=60), "1 minute"),
        (timedelta(minutes=90), "90 minutes"),
        (timedelta(hours=24), "24 hours"),
        (timedelta(days=3, hours=1), "3 days"),
    ],
)
def test_a_span_is_said_in_a_unit_that_says_enough(length: timedelta, said: str) -> None:
    assert span(length) == said
