"""What cannot be seen is spelt, and is the same on every surface."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals.visible import has_hidden, is_hidden, spelt
from bot.pages.visible import as_json, marked
from bot.slack.text import visible

ODD = st.text(st.sampled_from("ab \n\t\u202e\u200b\u00ad\ufe0f\ufe0e\u3164\u2028\x00\x7f\ue000é😀"), max_size=40)


@pytest.mark.parametrize("seen", ["", "abc", "a\nb\tc", "é 漢 ☁\ufe0f 😀", "a b"])
def test_what_is_seen_is_left_alone(seen: str) -> None:
    assert not has_hidden(seen)
    assert spelt(seen, lambda _: "?") == seen


@pytest.mark.parametrize(
    "hidden", ["\u202e", "\u200b", "\r", "\x00", "\u2028", "\u3164", "\ufe0e", "\U000e0101", "\ud800"]
)
def test_what_is_not_seen_is_spelt(hidden: str) -> None:
    assert is_hidden(hidden)
    assert spelt(f"a{hidden}b", lambda each: f"[{ord(each):x}]") == f"a[{ord(hidden):x}]b"


@given(ODD)
def test_the_surfaces_agree_and_none_of_them_leaves_anything_hidden(text: str) -> None:
    assert has_hidden(text) == any(map(is_hidden, text))
    assert (visible(text) != text) == has_hidden(text) == ('class="mark"' in marked(text))
    assert not has_hidden(visible(text))
    assert not has_hidden(as_json(text))
    assert json.loads(as_json(text)) == text
