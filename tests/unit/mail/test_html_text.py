"""HTML becomes the words that a person would see."""

import time

import pytest

from bot.mail.html_text import html_to_text


@pytest.mark.parametrize(
    "html, text",
    [
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("a<br>b", "a\nb"),
        ("<ul><li>x</li><li>y</li></ul>", "- x\n- y"),
        ("<b>bo</b>ld &amp; <i>it</i>", "bold & it"),
        ("<pre>  a\n    b</pre>", "  a\n    b"),
        ('<a href="https://x.example/y">here</a>', "here <https://x.example/y>"),
        ('<a href="https://x.example/">x.example</a>', "x.example"),
        ('<a href="javascript:alert(1)">here</a>', "here"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a b"),
        ("a<style>b</style><script>c</script><!-- d -->e", "ae"),
        ("a<img src=x alt=y>b", "ab"),
        ("<div>mine</div><blockquote type=cite>theirs<br>too</blockquote>", "mine\n> theirs\n> too"),
        (
            'mine<div class="gmail_quote">On Monday X wrote:<blockquote>q</blockquote></div>',
            "mine\n> On Monday X wrote:\n> q",
        ),
        ('mine<hr><div id="divRplyFwdMsg">From: x</div><div>body</div>', "mine\n> From: x\n> body"),
        ("unclosed <b>bold", "unclosed bold"),
    ],
)
def test_html_reads_as_text(html: str, text: str) -> None:
    assert html_to_text(html) == text


@pytest.mark.parametrize(
    "html",
    [
        '<div style="display:none">HIDDEN</div>',
        '<div style="DISPLAY : NONE !important">HIDDEN</div>',
        '<span style="font-size:0">HIDDEN</span>',
        '<span style="font-size:1px">HIDDEN</span>',
        '<span style="color:#FFFFFF">HIDDEN</span>',
        '<font color="white">HIDDEN</font>',
        '<p style="opacity:0">HIDDEN</p>',
        '<p style="max-height:0;overflow:hidden">HIDDEN</p>',
        "<p hidden>HIDDEN</p>",
        '<p aria-hidden="true">HIDDEN</p>',
        '<p style="position:absolute;left:-9999px">HIDDEN</p>',
        '<div style="display:none"><p><b>HIDDEN</b></p></div>',
        "<title>HIDDEN</title>",
    ],
)
def test_what_nobody_sees_is_not_read(html: str) -> None:
    assert html_to_text(f"<p>shown</p>{html}<p>too</p>") == "shown\n\ntoo"


def test_white_text_on_a_dark_ground_is_seen() -> None:
    assert html_to_text('<div style="background:#123"><span style="color:#fff">shown</span></div>') == "shown"


HOSTILE = {
    "divs": "<div>" * 100_000 + "words",
    "tables": "<table><tr><td>" * 20_000 + "words",
    "comments": "words" + "<!--" * 50_000,
    "declarations": "words" + "<![CDATA[" * 50_000,
    "instructions": "words" + "<?" * 100_000,
    "ends": "words" + "</div>" * 200_000,
    "angles": "words" + "<" * 200_000,
    "attributes": "<a " + 'b="c" ' * 100_000 + ">words",
    "breaks": "words" + "<br>" * 200_000,
    "style": '<p style="' + "color:" * 100_000 + '">words',
}


@pytest.mark.parametrize("html", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_html_loses_no_words_and_no_time(html: str) -> None:
    before = time.process_time()

    assert "words" in html_to_text(html)
    assert time.process_time() - before < 4
