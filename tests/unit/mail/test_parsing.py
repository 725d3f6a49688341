"""Any bytes become an InboundEmail or BadMail, soon, and nothing is believed that is in doubt."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.mail.email import InboundEmail
from bot.mail.errors import BadMail
from bot.mail.parsing import drop_sent_lines
from tests.fixtures import fixture_dir
from tests.unit.mail.letters import letter, multipart, read

HEAD = b"From: a@corp.example\r\nTo: agent@bot.example\r\n"
PLAIN = HEAD + b"Content-Type: text/plain; charset=%b\r\n\r\n%b"


def _nested(depth: int) -> bytes:
    levels = (b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (at, at) for at in range(depth))
    return HEAD + b"".join(levels) + b"\r\nx"


def _parts(count: int, part: bytes) -> bytes:
    return HEAD + b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + (b"--x\r\n" + part) * count + b"--x--"


HOSTILE = {
    "320 KB of encoded words in the subject": HEAD + b"Subject: " + b"=?utf-8?q?a?= " * 25_000 + b"\r\n\r\nx",
    "1 MB of references": HEAD + b"References: " + b"<a@b> " * 170_000 + b"\r\n\r\nx",
    "229 KB of parameters": HEAD + b"Content-Type: text/plain; " + b'a="b"; ' * 33_000 + b"\r\n\r\nx",
    "229 KB of parameters in a part": _parts(1, b"Content-Type: text/plain; " + b'a="b"; ' * 33_000 + b"\r\n\r\nx\r\n"),
    "long parameters in many parts": _parts(290, b"Content-Type: text/plain; " + b'a*0="b"; ' * 300 + b"\r\n\r\nx\r\n"),
    "2,000 nested multiparts": _nested(2000),
    "250 nested multiparts": _nested(250),
    "many lines under many boundaries": _nested(250) + b"\n" * 1_000_000,
    "3,000 nested messages": HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 3000 + b"x",
    "5,000 parts": _parts(5000, b"\r\nx\r\n"),
    "20 million lines": HEAD + b"\r\n" + b"\n" * 20_000_000,
    "16 KB of addresses": b"From: a@corp.example\r\nTo: " + b"a@b.example, " * 1200 + b"\r\n\r\nx",
    "16 KB of open comments": b"From: a@corp.example\r\nTo: " + b"(" * 16_000 + b"\r\n\r\nx",
    "16 KB of words in From": b"From: " + b"a " * 8000 + b"<a@corp.example>\r\n\r\nx",
    "a header without end": b"".join(b"X-%d: y\r\n" % at for at in range(200_000)),
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_bytes_are_read_or_refused_soon(raw: bytes) -> None:
    before = time.process_time()
    try:
        mail = read(raw)
    except BadMail as refused:
        assert refused.reason  # noqa: PT017 -- either outcome is right, but a refusal says why
    else:
        assert isinstance(mail, InboundEmail)

    assert time.process_time() - before < 5  # each took seconds to hours, or gigabytes, without the bounds


@pytest.mark.parametrize("folder", ["mime", "auth", "automatic"])
def test_each_collected_mail_is_read(folder: str) -> None:
    files = sorted(fixture_dir(folder).rglob("*.eml"))

    assert files
    for file in files:
        mail = read(file.read_bytes())
        assert mail.text.strip() or mail.attachments or mail.part_types


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400), st.binary(max_size=400))
def test_random_bytes_raise_nothing_but_bad_mail(head: bytes, body: bytes) -> None:
    for raw in (head + b"\r\n\r\n" + body, HEAD + b"Content-Type: " + head.replace(b"\n", b" ") + b"\r\n\r\n" + body):
        try:
            read(raw)
        except BadMail:
            continue


@pytest.mark.parametrize("raw", [b"", b"\r\n\r\n", b" " * 10])
def test_an_empty_message_is_bad_mail(raw: bytes) -> None:
    with pytest.raises(BadMail, match="empty"):
        read(raw)


@pytest.mark.parametrize(
    "value, address, name",
    [
        ("ann@corp.example", "ann@corp.example", ""),
        ("Ann@CORP.example", "ann@corp.example", ""),
        ("Ann Lee <ann@corp.example>", "ann@corp.example", "Ann Lee"),
        ('"Lee, Ann" <ann@corp.example>', "ann@corp.example", "Lee, Ann"),
        ("Ann Q. Lee <ann@corp.example>", "ann@corp.example", "Ann Q. Lee"),
        ("=?utf-8?q?J=C3=B8rn?= <j@corp.example>", "j@corp.example", "Jørn"),
        ("Jørn <j@corp.example>", "j@corp.example", "Jørn"),
        ("ann@corp.example (Ann Lee)", "ann@corp.example", ""),
        ("ann@bücher.example", "ann@xn--bcher-kva.example", ""),
        ('"boss@corp.example" <mallory@evil.example>', "mallory@evil.example", ""),
    ],
)
def test_a_plain_from_is_read(value: str, address: str, name: str) -> None:
    sender = read(letter(sender=value)).sender

    assert sender is not None
    assert (sender.address, sender.name) == (address, name)


@pytest.mark.parametrize(
    "value",
    [
        "boss@corp.example <mallory@evil.example>",
        "boss@corp.example, mallory@evil.example",
        "<boss@corp.example> <mallory@evil.example>",
        "boss@corp.example\r\nFrom: mallory@evil.example",
        "boss@corp.example\rFrom: mallory@evil.example",
        "Team: boss@corp.example, mallory@evil.example;",
        '"quoted local"@corp.example',
        "ann@[192.0.2.1]",
        "ann@corp",
        "änn@corp.example",
        "ann",
        "<>",
        "boss@corp.example (a) (b) <mallory@evil.example>",
        "boss(@corp.example>)@evil.example",
        "boss@corp.example\x00@evil.example",
        "ann@corp..example",
    ],
)
def test_a_from_in_doubt_is_no_sender(value: str) -> None:
    mail = read(letter(sender=value))

    assert mail.sender is None
    assert mail.sender_fault
    assert mail.verified_sender is None


def test_a_message_without_from_has_no_sender() -> None:
    assert read(b"To: agent@bot.example\r\n\r\nHi").sender_fault == "0 From fields"


def test_a_from_hidden_behind_a_malformed_line_is_counted() -> None:
    raw = b"From: a@corp.example\r\nthis is no field\r\nFrom: mallory@evil.example\r\n\r\nHi"

    assert read(raw).sender_fault == "2 From fields"


@pytest.mark.parametrize(
    "label, content, text",
    [
        (b"utf-8", "Grüße".encode(), "Grüße"),
        (b"uft-8", "Grüße".encode(), "Grüße"),
        (b"x-unknown", "Grüße".encode(), "Grüße"),
        (b"nonsense-9000", b"Gr\xfc\xdfe", "Grüße"),
        (b"iso-8859-8-i", "שלום".encode("iso-8859-8"), "שלום"),
        (b"cp-850", "Grüße".encode("cp850"), "Grüße"),
        (b"ks_c_5601-1987", "안녕".encode("cp949"), "안녕"),
        (b"us-ascii", b"Gr\xfc\xdfe", "Grüße"),
        (b"zip", b"plain", "plain"),
        (b"unicode_escape", b"\\x41", "\\x41"),
        (b"utf-8", b"a\x00b", "ab"),
    ],
)
def test_text_is_read_whatever_its_charset_says(label: bytes, content: bytes, text: str) -> None:
    assert read(PLAIN % (label, content)).new_text == text


def test_the_subject_is_decoded_and_stays_one_line() -> None:
    assert read(letter(subject="=?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n aus =?x-odd?q?Wien?=")).subject == "Grüße aus Wien"


def test_flowed_text_is_unfolded_before_it_is_cut() -> None:
    raw = letter("One \r\nparagraph.\r\n> quoted \r\n> line\r\n-- \r\nAnn", Content_Type="text/plain; format=flowed")

    mail = read(raw)

    assert mail.new_text == "One paragraph."
    assert mail.quoted_text == "> quoted line"
    assert mail.signature == "-- \nAnn".replace("-- ", "--")


def test_leading_spaces_of_code_and_lists_stay() -> None:
    assert read(letter("def f():\r\n    return 1")).new_text == "def f():\n    return 1"


@pytest.mark.parametrize("plain", ["", "Your client cannot show HTML.", "View this email in your browser"])
def test_html_is_read_where_the_plain_part_is_a_stub(plain: str) -> None:
    assert read(multipart(plain, "<p>The real words.</p>")).new_text == "The real words."


def test_the_plain_part_is_preferred() -> None:
    assert read(multipart("Plain words.", "<p>HTML words.</p>")).new_text == "Plain words."


def test_message_ids_are_taken_whole_and_empty_ones_are_ignored() -> None:
    long = f"<{'a' * 70}@mail.example>"
    mail = read(letter(Message_ID="<1@x.example>", In_Reply_To=f"<> {long}", References=f"<a@x>\r\n {long} <a@x>"))

    assert (mail.message_id, mail.in_reply_to, mail.references) == ("<1@x.example>", (long,), ("<a@x>", long))


def test_only_the_last_twenty_references_are_kept() -> None:
    mail = read(letter(References=" ".join(f"<{at}@x>" for at in range(50))))

    assert (len(mail.references), mail.references[-1]) == (20, "<49@x>")


def test_attachments_are_kept_with_safe_names() -> None:
    mail = read(multipart("Hi", "", ("../../etc/passwd", "text/plain", b"x"), ("a\u202egpj.exe", "image/png", b"y")))

    assert [(one.name, one.content) for one in mail.attachments] == [("passwd", b"x"), ("agpj.exe", b"y")]


def test_a_program_is_known_by_its_first_bytes_and_ignored_with_the_reason() -> None:
    found = read(multipart("Hi", "", ("invoice.pdf", "application/pdf", b"MZ\x90\x00"))).attachments[0]

    assert (found.content, found.ignored) == (None, "files of type application/x-msdownload are not taken")


def test_too_large_and_too_many_attachments_are_named_but_not_kept() -> None:
    small = [(f"{at}.txt", "text/plain", b"x") for at in range(25)]
    large = ("big.bin", "application/octet-stream", b"x" * (11 * 1024 * 1024))

    found = read(multipart("Hi", "", large, *small)).attachments

    assert len(found) == 26
    assert "larger than" in found[0].ignored
    assert [one.ignored for one in found[20:]] == ["more than 20 attachments"] * 6


def test_an_attached_message_is_one_attachment_and_its_text_is_not_ours() -> None:
    inner = b"Content-Type: message/rfc822\r\n\r\nFrom: x@y.example\r\nSubject: in\r\n\r\napprove\r\n"
    outer = HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nSee this.\r\n"

    mail = read(outer + b"--b\r\n" + inner + b"--b--\r\n")

    assert mail.new_text == "See this."
    assert [one.type for one in mail.attachments] == ["message/rfc822"]


def test_an_encrypted_message_says_that_it_cannot_be_read() -> None:
    mail = read(letter("MIIB", Content_Type="application/pkcs7-mime; smime-type=enveloped-data"))

    assert mail.unreadable
    assert not mail.new_text


def test_oversize_trace_fields_are_left_out_and_named() -> None:
    mail = read(letter(References="<a@b> " * 10_000, Message_ID="<1@x>"))

    assert mail.references == ()
    assert mail.faults == ("references was left out for its size",)
    assert mail.message_id == "<1@x>"


def test_an_oversize_from_is_refused_rather_than_overlooked() -> None:
    with pytest.raises(BadMail, match="From"):
        read(letter(sender="a" * 17_000 + " <ann@corp.example>"))


def test_lines_of_ours_are_dropped_once_the_conversation_is_known() -> None:
    mail = read(letter("approve\r\nRefund order 4711 for 30 euros?"))

    cut = drop_sent_lines(mail, ["Refund order 4711 for 30 euros?", "approve"])

    assert (cut.new_text, cut.confidence) == ("approve", "low")
