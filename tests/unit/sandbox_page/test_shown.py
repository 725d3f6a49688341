"""What the page is shown, without any server; and the feed that tells of changes."""

import asyncio

import pytest

from sandbox.cast import DANA, person_of
from sandbox.feed import Feed
from sandbox.page.shown import cast_shown, mentions_made


@pytest.mark.parametrize(
    "typed, sent",
    [
        ("@Twokey hello", "<@U0TWOKEY> hello"),
        ("(@Dana, @Lee)", "(<@U0DANA>, <@U0LEE>)"),
        ("<@Dana> dana@Twokey @Danae @sam", "<@Dana> dana@Twokey @Danae @sam"),
    ],
)
def test_typed_names_become_mentions_only_where_they_are_whole(typed: str, sent: str) -> None:
    assert mentions_made(typed) == sent


def test_the_cast_says_what_the_model_is() -> None:
    assert cast_shown("gpt-test", scripted=False)["model"] == {"name": "gpt-test", "scripted": False}


def test_a_person_is_found_by_each_name_and_nobody_by_none() -> None:
    assert [person_of(key) for key in ("dana", "U0DANA", "Dana@Acme.example")] == [DANA] * 3
    for key in ("", "mallory"):
        with pytest.raises(KeyError):
            person_of(key)


async def test_every_listener_hears_everything_in_order() -> None:
    feed: Feed[str] = Feed()
    feed.tell("before")
    listeners = [feed.listen(), feed.listen(0)]
    first = [asyncio.ensure_future(anext(listener)) for listener in listeners]
    await asyncio.sleep(0)
    feed.tell("now")
    assert [await one for one in first] == [(2, "now"), (1, "before")]
    assert await anext(listeners[1]) == (2, "now")
