"""A deployment with mail, and people who answer it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr

from agent.conversation import JsonObject, MailAddress
from agent.effects import Ask, Verdict
from agent.events import ToolCall
from agent.state import ThreadState
from agent.tool import Tool
from agent.verdict import Approvers
from approvals.policy import Policy
from bot.inbox import Inbox
from bot.mail.approval_reply import ApprovalReplies
from bot.mail.channel import ABOVE, MailChannel
from bot.mail.email import RawInbound, Verdicts
from bot.mail.email import Verdict as Found
from bot.mail.inbound import MailDesk
from bot.mail.parsing import Reading
from store.mails import Mails
from tests.desk import SECRETS, Desk

AGENT = "agent@bot.example"
LEE, MIAS = "lee@acme.example", "mia@acme.example"
OTHER: JsonObject = {"order_id": "1043", "amount": 15.0}
TWO = Approvers(roles=("finance",), count=2)


class Strict(Policy):
    """Wants two where it is about more than 100."""

    def judge(self, call: ToolCall, tool: Tool, state: ThreadState) -> Verdict:
        """By the amount."""
        amount = call.arguments["amount"]
        is_much = isinstance(amount, float | int) and amount > 100
        return Ask("much", "It is much.", TWO) if is_much else super().judge(call, tool, state)


@dataclass
class Post:
    """An SMTP server that keeps what it is given."""

    sent: list[bytes] = field(default_factory=list)

    async def send(self, content: bytes, *, sender: str, recipients: Sequence[str]) -> object:
        """Keep it."""
        self.sent.append(content)
        return None


@dataclass
class Office:
    """A deployment with mail."""

    desk: Desk
    channel: MailChannel
    post: Post
    receipts: dict[str, str] = field(default_factory=dict)

    async def show(self, asked: str, person: str = "lee") -> int:
        """Bring the mails about it to that person up to date; how many were sent."""
        before, card = len(self.post.sent), self.desk.gate.card(await self.desk.facts(asked))
        address = MailAddress(address=f"{person}@acme.example", person=person)
        key = f"{asked} {person}"
        self.receipts[key] = await self.channel.show(address, card, self.receipts.get(key, ""), fresh=False)
        return len(self.post.sent) - before

    def latest(self) -> EmailMessage:
        """The latest mail, as a client sees it."""
        found = message_from_bytes(self.post.sent[-1], policy=default)
        assert isinstance(found, EmailMessage)
        return found

    def says(self) -> str:
        """Its text."""
        body = self.latest().get_body(("plain",))
        assert body is not None
        return str(body.get_content())

    async def answer(self, to: str, words: str, sender: str = LEE) -> str:
        """A proved mail arrives at that address; what was done with it."""
        gate, clock = self.desk.gate, self.desk.clock
        desk = MailDesk(
            keeper=Mails(self.desk.database, clock),
            threads=self.desk.threads,
            inbox=Inbox(self.desk.threads, clock, self.desk.ids, "support"),
            replies=ApprovalReplies(gate, gate.directory, SECRETS, self.channel.answer),
            reading=Reading(delimiter=ABOVE),
            address=AGENT,
            secrets=SECRETS,
            clock=clock,
        )
        head = f"From: {sender}\r\nTo: {to}\r\nSubject: Re: Refund\r\nMessage-ID: <{len(words)}@acme.example>"
        proved = Verdicts(dmarc=Found.PASS, header_from="acme.example")
        return await desk.receive(
            RawInbound(f"{head}\r\n\r\n{words}".encode(), True, sender, (to,), "raw", None, proved)
        )

    def reply_to(self) -> str:
        """Where an answer to the latest mail goes."""
        return parseaddr(str(self.latest()["Reply-To"]))[1]
