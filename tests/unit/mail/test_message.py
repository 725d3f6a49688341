"""Outgoing mail threads in every client, carries its marks, and leaks nothing."""

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest

from bot.mail.approval_mail import ApprovalAsk, approval_mail
from bot.mail.email import Mailbox
from bot.mail.errors import MailMisconfigured
from bot.mail.message import (
    Outgoing,
    compose,
    delimiter_line,
    message_id_for,
    references_for,
    reply_subject,
    sent_lines,
)
from bot.mail.reply_text import split_reply
from tests.unit.mail.letters import read

MAIL = Outgoing(
    sender=Mailbox("agent@bot.example", "Agent"),
    to=(Mailbox("ann@corp.example", "Ann Lee"),),
    subject="Re: Refund",
    markdown="Hello **Ann**.",
    message_id="<reply.1@bot.example>",
    at=datetime(2025, 3, 3, 10, 0, tzinfo=UTC),
)
ASK = ApprovalAsk(
    title="Refund order 4711?",
    why="Refunds need a second key.",
    asked_by="Bob <bob@corp.example>",
    tool="refund",
    arguments=(("order", "4711"), ("note", "<script>alert(1)</script>\nline two")),
    link="https://bot.example/approvals/abc?x=1&y=2",
    preview="30.00 EUR go to Carl.",
    expires="2025-03-04 10:00 UTC",
    instructions="Or answer this mail; the first line must be the word approve, or reject and a reason.",
)


def _parsed(mail: Outgoing) -> EmailMessage:
    message = message_from_bytes(compose(mail), policy=default)
    assert isinstance(message, EmailMessage)
    return message


def _part(mail: Outgoing, kind: str) -> str:
    body = _parsed(mail).get_body((kind,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def test_the_same_mail_always_gives_the_same_bytes() -> None:
    assert compose(MAIL) == compose(MAIL)


def test_it_carries_the_headers_that_stop_loops_and_no_other_recipients() -> None:
    message = _parsed(replace(MAIL, hops=2, instance="i1", reply_to=Mailbox("agent+a.tok@bot.example")))

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
    message = _parsed(
        replace(MAIL, subject="a\r\nBcc: x@y.example", to=(Mailbox("ann@corp.example", "Ann\r\nBcc: x@y.example"),))
    )

    assert "Bcc" not in message
    with pytest.raises(ValueError, match="Message-ID"):
        compose(replace(MAIL, message_id="<a@b>\r\nBcc: x@y.example"))
    with pytest.raises(ValueError, match="CR or LF"):
        compose(replace(MAIL, to=(Mailbox("ann@corp.example\r\nBcc: x@y.example"),)))


def test_both_parts_are_there_in_an_encoding_that_relays_leave_alone() -> None:
    message = _parsed(MAIL)
    parts = list(message.iter_parts())

    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
    assert {part["Content-Transfer-Encoding"] for part in parts} == {"quoted-printable"}
    assert _part(MAIL, "plain") == "Hello Ann.\n"
    assert "<p>Hello <strong>Ann</strong>.</p>" in _part(MAIL, "html")


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
    body = _part(replace(MAIL, markdown=markdown), "html").partition("<body")[2].partition(">")[2]

    assert absent not in body
    assert present in body


def test_the_text_part_reads_like_a_letter() -> None:
    markdown = "# Title\n\nSee [docs](https://x.example) and ![pic](https://y.example/p).\n\n```\n**code**\n```\n- item"

    assert _part(replace(MAIL, markdown=markdown), "plain") == (
        "Title\n\nSee docs <https://x.example> and pic.\n\n```\n**code**\n```\n- item\n"
    )


def test_an_answer_to_our_mail_is_cut_at_the_line_we_put_in() -> None:
    mail = replace(MAIL, delimiter="m4rk", quote="Where is my money?\nAnn")
    text = _part(mail, "plain")

    assert delimiter_line("m4rk") in text
    assert "> Where is my money?\n> Ann" in text
    assert (
        split_reply(f"Thanks!\n\nOn Monday 3 March 2025, Agent wrote:\n\n{text}", delimiter="m4rk").new_text
        == "Thanks!"
    )


def test_a_long_quote_is_shortened() -> None:
    text = _part(replace(MAIL, quote="\n".join(f"line {at}" for at in range(100))), "plain")

    assert "> line 19" in text
    assert "> line 20" not in text


def test_our_own_reader_takes_our_mail_for_automatic() -> None:
    assert read(compose(MAIL)).automatic is not None


def test_the_sent_lines_of_a_mail_are_the_lines_of_its_text() -> None:
    assert sent_lines(compose(replace(MAIL, markdown="One\n\nTwo — ü"))) == ("One", "Two — ü")


def test_an_approval_mail_shows_everything_and_decides_nothing() -> None:
    mail = approval_mail(ASK, replace(MAIL, reply_to=Mailbox("agent+a.tok@bot.example")))
    text, rich = _part(mail, "plain"), _part(mail, "html")

    for words in (ASK.title, ASK.why, "bob@corp.example", "refund", "4711", ASK.preview, ASK.expires, ASK.instructions):
        assert words in text
    assert ASK.link in text
    assert rich.count("<a ") == 1
    assert 'href="https://bot.example/approvals/abc?x=1&amp;y=2"' in rich
    assert "<script>" not in rich
    assert "<img" not in rich
    assert "Review and decide" in rich
    assert _parsed(mail)["Auto-Submitted"] == "auto-generated"


def test_no_line_of_an_approval_mail_is_a_decision() -> None:
    lines = [line.strip(" >.:").casefold() for line in _part(approval_mail(ASK, MAIL), "plain").split("\n")]

    assert not {"approve", "approved", "yes", "reject"} & set(lines)


def test_long_arguments_are_cut_and_the_mail_says_so() -> None:
    ask = replace(ASK, arguments=(*((f"a{at}", "x") for at in range(60)), ("b", "y" * 5000)))

    assert "11 more arguments on the page" in _part(approval_mail(ask, MAIL), "plain")
    long = replace(ASK, arguments=(("b", "y" * 5000),))
    assert "3000 more characters on the page" in _part(approval_mail(long, MAIL), "plain")


def test_a_link_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="http"):
        approval_mail(replace(ASK, link="javascript:alert(1)"), MAIL)
