"""Outgoing mail threads in every client, carries its marks, and leaks nothing."""

from dataclasses import replace

import pytest

from bot.mail.email import Mailbox
from bot.mail.errors import MailMisconfigured
from bot.mail.message import (
    compose,
    delimiter_line,
    message_id_for,
    references_for,
    reply_subject,
    sent_lines,
)
from bot.mail.reply_text import split_reply
from tests.unit.mail.letters import read
from tests.unit.mail.outgoing import MAIL, parsed, part_of


def test_the_same_mail_always_gives_the_same_bytes() -> None:
    assert compose(MAIL) == compose(MAIL)


def test_it_carries_the_headers_that_stop_loops_and_no_other_recipients() -> None:
    message = parsed(replace(MAIL, hops=2, instance="i1", reply_to=Mailbox("agent+a.tok@bot.example")))

    assert message["Auto-Submitted"] == "auto-replied"
    assert message["X-Auto-Response-Suppress"] == "OOF, AutoReply"
    assert message["X-Twokey-Hops"] == "2"
    assert message["X-Twokey-Instance"] == "i1"
    assert message["Reply-To"] == "agent+a.tok@bot.example"
    assert message["Date"] == "Mon, 03 Mar 2025 10:00:00 +0000"
    assert message["Message-ID"] == "<reply.1@bot.example>"
    assert "Bcc" not in message


@pytest.mark.parametrize("length", [60, 79, 80, 82, 200])
def test_long_message_ids_stay_whole_however_many_there_are(length: int) -> None:
    ids = tuple(f"<{at:02}{'x' * (length - 12)}@y.z.ex>" for at in range(40))
    content = compose(replace(MAIL, in_reply_to=ids[-1], references=ids[:-1]))
    head = content.partition(b"\r\n\r\n")[0]

    assert b"=?" not in head
    assert max(map(len, head.split(b"\r\n"))) <= 998
    assert b"In-Reply-To: " + ids[-1].encode() in head
    unfolded = head.replace(b"\r\n ", b" ")
    assert b"References: " + " ".join([ids[0], *ids[-10:]]).encode() in unfolded


def test_references_are_theirs_and_their_id_without_repeats_or_rubbish() -> None:
    mail = replace(MAIL, references=("<a@x>", "<>", "no id", "<b@x>", "<a@x>"), in_reply_to="<b@x>")

    assert references_for(mail) == ("<a@x>", "<b@x>")


@pytest.mark.parametrize(
    "subject, answer",
    [
        ("Refund", "Re: Refund"),
        ("Re: Refund", "Re: Refund"),
        ("RE: AW: re[2]: SV : Antw: Refund", "Re: Refund"),
        ("回复\uff1aRefund", "Re: Refund"),
        ("Reason: none", "Re: Reason: none"),
        ("Refund\r\nBcc: x@y.example", "Re: Refund Bcc: x@y.example"),
        ("", "Re: (no subject)"),
        ("Re:" * 5000, "Re: (no subject)"),
    ],
)
def test_an_answer_has_exactly_one_re(subject: str, answer: str) -> None:
    assert reply_subject(subject) == answer


def test_message_ids_are_short_and_of_one_shape() -> None:
    assert message_id_for("reply", "thr_1.abc", "bot.example") == "<reply.thr_1.abc@bot.example>"
    long = message_id_for("approval", "x" * 200, "mail.a-longer-domain.example")
    assert len(long) <= 76
    assert long != message_id_for("approval", "y" * 200, "mail.a-longer-domain.example")


@pytest.mark.parametrize("domain", ["", "a b", "x" * 60, "x>y.example", "localhost\r\n"])
def test_a_domain_that_fits_no_message_id_is_a_wrong_setting(domain: str) -> None:
    with pytest.raises(MailMisconfigured):
        message_id_for("reply", "1", domain)


def test_no_header_can_be_smuggled_in() -> None:
    message = parsed(
        replace(MAIL, subject="a\r\nBcc: x@y.example", to=(Mailbox("ann@corp.example", "Ann\r\nBcc: x@y.example"),))
    )

    assert "Bcc" not in message
    with pytest.raises(ValueError, match="Message-ID"):
        compose(replace(MAIL, message_id="<a@b>\r\nBcc: x@y.example"))
    with pytest.raises(ValueError, match="CR or LF"):
        compose(replace(MAIL, to=(Mailbox("ann@corp.example\r\nBcc: x@y.example"),)))


def test_both_parts_are_there_in_an_encoding_that_relays_leave_alone() -> None:
    message = parsed(MAIL)
    parts = list(message.iter_parts())

    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
    assert {part["Content-Transfer-Encoding"] for part in parts} == {"quoted-printable"}
    assert part_of(MAIL, "plain") == "Hello Ann.\n"
    assert "<p>Hello <strong>Ann</strong>.</p>" in part_of(MAIL, "html")


def test_every_line_is_short_and_ends_in_crlf() -> None:
    content = compose(replace(MAIL, markdown="wörd " * 5000))

    assert b"\n" not in content.replace(b"\r\n", b"")
    assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) <= 998


@pytest.mark.parametrize(
    "markdown, absent, present",
    [
        ("![secret](https://evil.example/?q=1)", "evil.example", "secret"),
        ("<img src=https://evil.example>", "<img", "&lt;img"),
        ("<script>alert(1)</script>", "<script", "&lt;script"),
        ("[x](javascript:alert(1))", "<a ", "javascript"),
        ("[x](data:text/html,x)", "<a ", "x"),
        ("[bank.example](https://evil.example/)", "zzz", "bank.example</a> &lt;https://evil.example/&gt;"),
        ("<https://x.example/>", "&lt;", 'href="https://x.example/"'),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "|", "<td>1</td>"),
        ("```\n<b>\n```", "<b>", "&lt;b&gt;"),
    ],
)
def test_what_a_model_writes_loads_nothing_and_hides_no_target(markdown: str, absent: str, present: str) -> None:
    body = part_of(replace(MAIL, markdown=markdown), "html").partition("<body")[2].partition(">")[2]

    assert absent not in body
    assert present in body


def test_the_text_part_reads_like_a_letter() -> None:
    markdown = "# Title\n\nSee [docs](https://x.example) and ![pic](https://y.example/p).\n\n```\n**code**\n```\n- item"

    assert part_of(replace(MAIL, markdown=markdown), "plain") == (
        "Title\n\nSee docs <https://x.example> and pic.\n\n```\n**code**\n```\n- item\n"
    )


def test_an_answer_to_our_mail_is_cut_at_the_line_we_put_in() -> None:
    mail = replace(MAIL, delimiter="m4rk", quote="Where is my money?\nAnn")
    text = part_of(mail, "plain")

    assert delimiter_line("m4rk") in text
    assert "> Where is my money?\n> Ann" in text
    assert (
        split_reply(f"Thanks!\n\nOn Monday 3 March 2025, Agent wrote:\n\n{text}", delimiter="m4rk").new_text
        == "Thanks!"
    )


def test_a_long_quote_is_shortened() -> None:
    text = part_of(replace(MAIL, quote="\n".join(f"line {at}" for at in range(100))), "plain")

    assert "> line 19" in text
    assert "> line 20" not in text


def test_our_own_reader_takes_our_mail_for_automatic() -> None:
    assert read(compose(MAIL)).automatic is not None


def test_the_sent_lines_of_a_mail_are_the_lines_of_its_text() -> None:
    assert sent_lines(compose(replace(MAIL, markdown="One\n\nTwo — ü"))) == ("One", "Two — ü")
