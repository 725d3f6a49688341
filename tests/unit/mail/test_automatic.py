"""Mail of machines, lists and ourselves is recognised, and no person's mail is."""

import pytest

from bot.mail.automatic import OwnMail, hops
from bot.mail.email import AutomaticKind
from bot.mail.parsing import Reading
from tests.fixtures import fixture_dir
from tests.unit.mail.letters import letter, read

OWN = Reading(OwnMail(frozenset({"agent@bot.example"}), "mail.bot.example", "instance-1"))


@pytest.mark.parametrize(
    "raw, kind",
    [
        (letter(X_Twokey_Instance="instance-1"), AutomaticKind.OWN),
        (letter(Message_ID="<reply.1@mail.bot.example>"), AutomaticKind.OWN),
        (letter(sender="Agent <agent@bot.example>"), AutomaticKind.OWN),
        (letter(sender="agent+a.token@bot.example"), AutomaticKind.OWN),
        (letter(Return_Path="<>"), AutomaticKind.BOUNCE),
        (letter(sender="MAILER-DAEMON@mx.example (Mail Delivery System)"), AutomaticKind.BOUNCE),
        (letter(sender="postmaster@mx.example"), AutomaticKind.BOUNCE),
        (letter(Content_Type="message/disposition-notification"), AutomaticKind.BOUNCE),
        (letter(Auto_Submitted="auto-replied; owner=x"), AutomaticKind.AUTOMATIC),
        (letter(Auto_Submitted="auto-generated (cron)"), AutomaticKind.AUTOMATIC),
        (letter(X_Autoreply="yes"), AutomaticKind.AUTOMATIC),
        (letter(X_Failed_Recipients="a@b.example"), AutomaticKind.AUTOMATIC),
        (letter(Precedence="bulk"), AutomaticKind.AUTOMATIC),
        (letter(Precedence="list"), AutomaticKind.LIST),
        (letter(X_Auto_Response_Suppress="OOF, AutoReply"), AutomaticKind.AUTOMATIC),
        (letter(List_Unsubscribe="<https://x.example>"), AutomaticKind.LIST),
        (letter(sender="no-reply@shop.example"), AutomaticKind.NO_REPLY),
        (letter(sender="github.noreply@shop.example"), AutomaticKind.NO_REPLY),
        (letter(sender="notifications@shop.example"), AutomaticKind.NO_REPLY),
        (letter(Content_Type="text/calendar; method=REPLY"), AutomaticKind.CALENDAR),
        (letter(X_Twokey_Hops="4"), AutomaticKind.LOOP),
        (letter(subject="Out of Office: back Monday"), AutomaticKind.AUTOMATIC),
    ],
)
def test_each_mark_of_a_machine_is_known(raw: bytes, kind: AutomaticKind) -> None:
    found = read(raw, OWN).automatic

    assert found is not None
    assert found.kind is kind
    assert found.reason


def test_more_than_fifty_hops_are_a_loop() -> None:
    found = read(b"Received: x\r\n" * 51 + letter()).automatic

    assert found is not None
    assert found.kind is AutomaticKind.LOOP


@pytest.mark.parametrize("envelope_from", ["", "<>"])
def test_an_empty_envelope_sender_is_a_bounce(envelope_from: str) -> None:
    found = read(letter(), envelope_from=envelope_from).automatic

    assert found is not None
    assert found.kind is AutomaticKind.BOUNCE


def test_an_envelope_sender_of_ours_is_our_own_mail() -> None:
    found = read(letter(), OWN, envelope_from="agent+bounce.1@bot.example").automatic

    assert found is not None
    assert found.kind is AutomaticKind.OWN


@pytest.mark.parametrize(
    "raw",
    [
        letter(),
        letter(Auto_Submitted="no"),
        letter(X_Autoreply="no"),
        letter(Precedence="normal"),
        letter(X_Twokey_Instance="instance-2", X_Twokey_Hops="1"),
        letter(subject="Why are our mails undeliverable?"),
        letter(sender="reply@corp.example"),
        letter(sender="norbert@corp.example"),
        letter(Content_Type="text/calendar; method=REQUEST"),
        letter(Message_ID="<1@xmail.bot.example.evil>"),
    ],
)
def test_a_persons_mail_is_not_taken_for_a_machines(raw: bytes) -> None:
    assert read(raw, OWN, envelope_from="ann@corp.example").automatic is None


def test_the_hop_count_is_read_for_the_answer() -> None:
    assert [hops(read(letter(X_Twokey_Hops=value))) for value in ("2", "x", "-1", "99999999999")] == [2, 0, 0, 0]


def test_at_least_97_of_100_collected_automatic_mails_are_recognised() -> None:
    files = sorted((fixture_dir("automatic") / "sisimai").glob("*.eml"))

    missed = [file.name for file in files if read(file.read_bytes()).automatic is None]

    assert len(files) > 100
    assert len(missed) <= 0.03 * len(files), missed


def test_no_collected_reply_of_a_person_is_taken_for_a_machines() -> None:
    texts = sorted(fixture_dir("replies").rglob("*.txt"))

    taken = [file.name for file in texts if read(letter(file.read_text().replace("\n", "\r\n"))).automatic]

    assert len(texts) > 60
    assert not taken


MACHINES = {  # all the automatic ones among the MIME samples, told by reading them
    "encoding_madness.eml",  # from no-reply@
    "multi_address_bounce1.eml",
    "multi_address_bounce2.eml",
    "multipart_report_multiple_status.eml",
    "report_422.eml",
    "report_530.eml",
    "raw_email_trailing_dot.eml",  # from noreply@
}


def test_among_mixed_mail_exactly_the_machines_are_found() -> None:
    files = fixture_dir("mime").rglob("*.eml")

    assert {file.name for file in files if read(file.read_bytes()).automatic} == MACHINES
