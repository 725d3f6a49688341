"""What cannot be seen is spelt, and is the same on every surface."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals.visible import has_hidden, is_hidden, oddities, spelt
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


@pytest.mark.parametrize(
    "text, shown",
    [
        ("p\u0430ypal.com", "p⟨U+0430⟩ypal.com"),
        ("PAYP\u0391L", "PAYP⟨U+0391⟩L"),
        ("\uff50aypal", "⟨U+FF50⟩aypal"),
        ("IBAN DE8\U0001d7d7x", "IBAN DE8⟨U+1D7D7⟩x"),
        ("\u0441lick", "⟨U+0441⟩lick"),
        ("l\u0131ne", "l⟨U+0131⟩ne"),
    ],
)
def test_a_letter_that_passes_for_a_latin_one_in_a_latin_word_is_spelt(text: str, shown: str) -> None:
    assert visible(text) == shown
    assert marked(text) != text
    assert json.loads(as_json(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "Привет, это счёт",
        "Ελληνικά και English",
        "отдел IT",
        "10 m², 5 µg, 10 kΩ, 5 μm, Δt",
        "1ª vez, nº 4",
        "東京Tower \uff11\uff12\uff13",
        "café naïve Müller",
        "\uff28\uff45",
    ],
)
def test_other_scripts_and_units_are_left_alone(text: str) -> None:
    assert oddities(text) == frozenset()
    assert visible(text) == text
