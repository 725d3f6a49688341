"""A long reply reaches the thread whole, in messages that Slack takes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.parts import MOST, parts_of, size, split
from bot.slack.text import fence_after

LINES = st.lists(
    st.one_of(
        st.sampled_from(["```", "```python", "~~~", "", "text", "> quoted", "  ```", "````"]),
        st.text(alphabet="ab 漢😀é`~&lt;[](x)", max_size=300),
    ),
    max_size=60,
)


def open_fence(part: str) -> str:
    fence = ""
    for line in part.split("\n"):
        fence = fence_after(line, fence)
    return fence


@given(LINES, st.integers(200, 600))
def test_every_part_fits_and_nothing_is_lost(lines: list[str], most: int) -> None:
    text = "\n".join(lines)
    parts = split(text, most)
    assert all(0 < size(part) <= most for part in parts)
    letters = re.compile(r"[\s`~]|python")
    assert letters.sub("", "".join(parts)) == letters.sub("", text)


@given(LINES)
def test_no_part_but_the_last_leaves_a_code_fence_open(lines: list[str]) -> None:
    for part in split("\n".join(lines), 300)[:-1]:
        assert open_fence(part) == ""


def test_a_code_block_that_is_cut_is_closed_and_opened_again_in_its_language() -> None:
    code = "\n".join(f"line {number}" for number in range(100))
    parts = split(f"Look:\n\n```python\n{code}\n```\n\nThat is all.", 400)
    assert len(parts) > 2
    assert all(part.startswith("```python\n") for part in parts[1:])
    assert all(part.endswith("\n```") for part in parts[:-1])
    assert "line 99" in parts[-1]


def test_a_cut_is_made_between_paragraphs_where_there_is_one() -> None:
    first, second = "a " * 100, "b " * 100
    assert split(f"{first}\n\n{second}", 300) == (first, second)


def test_a_link_is_not_torn() -> None:
    link = "[the order](https://shop.example/orders/4711)"
    parts = split(" ".join(["word"] * 30 + [link] * 5 + ["word"] * 30), 200)
    assert "".join(parts).count(link) == 5
    assert sum(part.count(link) for part in parts) == 5


@pytest.mark.parametrize("unit", ["😀", "e\u0301", "👨\u200d👩\u200d👧", "&lt;", "👍🏽"])
def test_neither_a_character_nor_an_entity_is_torn(unit: str) -> None:
    for part in split(unit * 500, 200):
        assert part == unit * (len(part) // len(unit))


def test_a_short_reply_is_one_message_and_an_empty_one_none() -> None:
    assert parts_of("Done.") == ("Done.",)
    assert parts_of(" \n\n ") == ()


def test_twenty_thousand_characters_are_two_messages() -> None:
    parts = parts_of("word " * 4000)
    assert len(parts) == 2
    assert all(size(part) <= MOST for part in parts)


def test_what_escaping_adds_is_counted() -> None:
    assert all(size(part) <= MOST for part in parts_of("<" * 12_000))


def test_a_very_long_text_is_cut_in_time_that_grows_with_it() -> None:
    assert len(parts_of("x" * 2_000_000)) > 100
    assert len(parts_of("[" * 300_000)) > 10
    assert len(parts_of("`" * 300_001)) > 10
