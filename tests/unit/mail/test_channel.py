"""A mail is the same to the byte at every try, and a reminder lies under the mail that it reminds of."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from agent.conversation import MailAddress, MailHeaders, MailThread
from agent.ports import Reply
from bot.mail.channel import MailChannel
from tests.fakes import FakeClock
from tests.unit.slack.cards import ASKED, a_card, approved

PLACE = MailThread(mailbox="agent@acme.example", root="<root@corp.example>")
DANA = MailAddress(address="dana@acme.example", person="dana")
REPLY = Reply(
    "thr_aaaaaaaaaaaaaaaaaaab",
    "r2",
    "Refunded **40 EUR**.",
    MailHeaders(message_id="<root@corp.example>", subject="Refund", reply_address="sam@customer.example"),
    at=ASKED,
)
ID, THREAD = "apr_aaaaaaaaaaaaaaaaaaab", "thr_aaaaaaaaaaaaaaaaaaab"
REMINDED = tuple(ASKED + timedelta(hours=hours) for hours in (6, 12))


@dataclass
class Post:
    """Keeps what it is given."""

    sent: list[bytes] = field(default_factory=list)

    async def send(self, content: bytes, *, sender: str, recipients: Sequence[str]) -> None:
        """Keep it."""
        self.sent.append(content)

    def read(self, number: int) -> EmailMessage:
        """A mail as a client sees it."""
        found = message_from_bytes(self.sent[number], policy=default)
        assert isinstance(found, EmailMessage)
        return found


def a_channel() -> tuple[MailChannel, Post, FakeClock]:
    post, clock = Post(), FakeClock(ASKED)
    secrets = ("a secret of forty characters for the tests",)
    return MailChannel(post, "agent@acme.example", "Agent", secrets, "http://localhost", clock), post, clock


async def test_a_reply_that_is_sent_again_much_later_is_the_same_to_the_byte() -> None:
    channel, post, clock = a_channel()
    first = await channel.send(PLACE, REPLY)
    clock.move(86_400)
    assert await channel.send(PLACE, REPLY) == first
    assert post.sent[0] == post.sent[1]
    assert post.read(0)["Date"] == "Wed, 25 Nov 2026 09:00:00 +0000"


async def test_a_request_its_reminders_and_its_end_are_the_same_to_the_byte_at_every_try() -> None:
    channel, post, clock = a_channel()
    card = a_card(approval_id=ID, thread_id=THREAD, remind_at=REMINDED)
    for _ in range(2):
        asked = await channel.show(DANA, card, "", fresh=True)
        await channel.remind(DANA, card, 1, asked, fresh=True)
        await channel.remind(DANA, card, 2, asked, fresh=True)
        await channel.show(DANA, approved(approval_id=ID, thread_id=THREAD), asked, fresh=False)
        clock.move(86_400)
    assert post.sent[:4] == post.sent[4:]
    assert len({post.read(number)["Message-ID"] for number in range(4)}) == 4


async def test_a_reminder_lies_under_the_mail_that_asked_and_decides_as_it_does() -> None:
    channel, post, _ = a_channel()
    card = a_card(approval_id=ID, thread_id=THREAD, remind_at=REMINDED)
    asked = await channel.show(DANA, card, "", fresh=True)
    await channel.remind(DANA, card, 2, asked, fresh=True)
    first, reminder = post.read(0), post.read(1)
    assert reminder["In-Reply-To"] == reminder["References"] == first["Message-ID"]
    assert reminder["Subject"] == f"Re: {first['Subject']}"
    assert reminder["Reply-To"] == first["Reply-To"]
    assert reminder["Date"] == "Wed, 25 Nov 2026 21:00:00 +0000"
    body = reminder.get_body(("plain",))
    assert body is not None
    assert str(body.get_content()).startswith("Reminder: Refund order 4711")
    assert "http://localhost/approvals/" in str(body.get_content())
