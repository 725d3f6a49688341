"""The mail desk on a real store: who gets into which conversation, and how a question is answered by mail."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes
from email.utils import parseaddr
from pathlib import Path

from agent.conversation import MailAddress
from agent.effects import TakeAnswer
from agent.events import ApprovalRequested
from agent.reducer import decide
from agent.state import ThreadState
from agent.thread import fold
from agent.verdict import Approvers
from approvals.gate import Gate
from approvals.people import Directory, Person
from approvals.policy import Policy
from approvals.policy_file import PolicyFile
from bot.inbox import Inbox
from bot.mail.approval_reply import ApprovalReplies
from bot.mail.channel import ABOVE, MailChannel
from bot.mail.email import RawInbound, Verdict, Verdicts
from bot.mail.inbound import MailDesk
from bot.mail.parsing import Reading
from store import schema
from store.approvals import ApprovalIndex
from store.connect import connect
from store.mails import Mails
from store.threads import Threads
from tests.builders import Ledger, rules
from tests.fakes import CountingIds, FakeClock

SECRETS = ("a secret of forty characters for the tests",)
AGENT = "agent@bot.example"
ADA, MALLORY = "ada@corp.example", "mallory@evil.example"


@dataclass
class Post:
    """An SMTP server that keeps what it is given."""

    sent: list[bytes] = field(default_factory=list)

    async def send(self, content: bytes, *, sender: str, recipients: Sequence[str]) -> object:
        """Keep it."""
        self.sent.append(content)
        return None


@dataclass
class Room:
    """A desk and what is behind it."""

    desk: MailDesk
    threads: Threads
    index: ApprovalIndex
    gate: Gate
    channel: MailChannel
    post: Post
    clock: FakeClock

    async def mail(self, sender: str, text: str, to: str = AGENT, **fields: str) -> str:
        """A proved mail arrives; what was done with it."""
        lines = [
            f"From: {sender}",
            f"To: {to}",
            "Subject: Refund",
            *(f"{k.replace('_', '-')}: {v}" for k, v in fields.items()),
        ]
        raw = "\r\n".join([*lines, "", text]).encode()
        proved = Verdicts(dmarc=Verdict.PASS, header_from=sender.partition("@")[2])
        return await self.desk.receive(RawInbound(raw, True, sender, (to,), "raw", None, proved))

    async def state(self, done: str) -> ThreadState:
        """The thread that a mail was delivered to."""
        thread_id = done.removeprefix("delivered to ")
        place = await self.threads.conversation(thread_id)
        assert place
        return fold(ThreadState(thread_id, place), await self.threads.entries(thread_id))


@asynccontextmanager
async def a_room(folder: Path) -> AsyncIterator[Room]:
    """A desk on an empty store."""
    clock, ids, post = FakeClock(), CountingIds(), Post()
    database = connect(f"sqlite+aiosqlite:///{folder / 'mail.db'}")
    await schema.migrate(database)
    threads, index = Threads(database, clock), ApprovalIndex(database, clock)
    people = Directory([Person(id="ada", name="Ada", email=(ADA,))])
    gate = Gate(
        index, threads, Policy(PolicyFile()), people, Ledger().tools(), clock, ids, timeout=3600, channels=("mail",)
    )
    channel = MailChannel(post, AGENT, "Agent", SECRETS, "http://localhost", clock)
    desk = MailDesk(
        keeper=Mails(database, clock),
        threads=threads,
        inbox=Inbox(threads, clock, ids, "support"),
        replies=ApprovalReplies(gate, people, SECRETS, channel.answer),
        reading=Reading(delimiter=ABOVE),
        address=AGENT,
        secrets=SECRETS,
        clock=clock,
    )
    try:
        yield Room(desk, threads, index, gate, channel, post, clock)
    finally:
        await database.aclose()


async def test_a_stranger_who_knows_the_first_message_id_does_not_get_into_the_conversation(tmp_path: Path) -> None:
    async with a_room(tmp_path) as room:
        first = await room.mail(ADA, "Please refund order 1042.", Message_ID="<root@corp.example>")
        stranger = await room.mail(MALLORY, "What was this about?", Message_ID="<root@corp.example>")
        assert stranger.startswith("delivered to")
        assert stranger != first
        again = await room.mail(ADA, "Any news?", Message_ID="<second@corp.example>", In_Reply_To="<root@corp.example>")
        assert again == first


async def test_a_question_to_whoever_wrote_is_answered_by_answering_its_mail(tmp_path: Path) -> None:
    async with a_room(tmp_path) as room:
        done = await room.mail(ADA, "Please refund it.", Message_ID="<root@corp.example>")
        state = await room.state(done)
        request = ApprovalRequested(
            at=room.clock.now(),
            approval_id=room.gate.ids.new("apr"),
            about="question",
            title="Which order?",
            why="The agent has a question.",
            rule="ask_human",
            approvers=Approvers(anyone_in_thread=True),
            expires_at=room.clock.now() + timedelta(hours=1),
            shown_on=(MailAddress(address=ADA, person=""),),
        )
        await room.threads.inform(state.thread_id, [request])
        facts = await room.index.facts(request.approval_id)
        assert facts
        await room.channel.show(request.shown_on[0], room.gate.card(facts), "", fresh=True)
        question = message_from_bytes(room.post.sent[-1])
        reply_to = parseaddr(str(question["Reply-To"]))[1]
        answer = await room.mail(
            ADA, "1042", to=reply_to, Message_ID="<third@corp.example>", In_Reply_To=str(question["Message-ID"])
        )
        assert answer == done
        after = await room.state(done)
        assert isinstance(decide(after, rules()), TakeAnswer)
