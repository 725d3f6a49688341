"""What cannot be seen is shown, and what is shown is never markup."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals.visible import has_hidden, oddities
from bot.pages.visible import as_json, marked


@pytest.mark.parametrize(
    "text, shown",
    [
        ("pay\u202eflip", 'pay<span class="mark" title="RIGHT-TO-LEFT OVERRIDE">U+202E</span>flip'),
        ("a\u200bb", 'a<span class="mark" title="ZERO WIDTH SPACE">U+200B</span>b'),
        ("\u3164", '<span class="mark" title="HANGUL FILLER">U+3164</span>'),
        ("\U000e0041", '<span class="mark" title="TAG LATIN CAPITAL LETTER A">U+E0041</span>'),
        ("\ud800", '<span class="mark" title="a character without a name">U+D800</span>'),
        ("one\ntwo\tthree", "one\ntwo\tthree"),
        ("<script>&\"'", "&lt;script&gt;&amp;&#34;&#39;"),
        ("Grüße, 東京　שלום ❤️", "Grüße, 東京　שלום ❤️"),
    ],
)
def test_each_hidden_character_becomes_a_box_and_all_else_stays(text: str, shown: str) -> None:
    assert marked(text) == shown


@given(st.text())
def test_no_format_or_control_character_survives_and_no_markup_comes_through(text: str) -> None:
    shown = str(marked(text))

    assert not any(unicodedata.category(each) in {"Cc", "Cf", "Cs"} for each in shown if each not in "\n\t")
    assert shown.count("<") == 2 * len(oddities(text))


@given(st.text(st.characters(codec="utf-8")))
def test_json_for_reading_means_the_same_value(text: str) -> None:
    shown = as_json([text])

    assert not has_hidden(shown)
    assert json.loads(shown) == [text]
