"""An answer to an approval mail decides what that mail showed, for whoever it was mailed to, and nothing else."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr
from pathlib import Path

import pytest

from agent.conversation import JsonObject, MailAddress
from agent.effects import Ask, Verdict
from agent.events import ToolCall
from agent.thread import ThreadState
from agent.tool import Tool
from agent.verdict import Approved, Approvers, Rejected
from approvals import token
from approvals.decision import Approve
from approvals.policy import Policy
from bot.inbox import Inbox
from bot.mail.approval_reply import ApprovalReplies
from bot.mail.channel import ABOVE, MailChannel
from bot.mail.email import RawInbound, Verdicts
from bot.mail.email import Verdict as Found
from bot.mail.inbound import MailDesk
from bot.mail.parsing import Reading
from store.mails import Mails
from tests.desk import ARGUMENTS, MIA, POLICY, SECRETS, Desk, desk_at, refund

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


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """A deployment on a new file."""
    async with desk_at(tmp_path) as desk:
        desk.gate = replace(desk.gate, policy=Strict(POLICY))
        post = Post()
        yield Office(desk, MailChannel(post, AGENT, "Agent", SECRETS, "http://localhost", desk.clock), post)


async def change(office: Office, asked: str, amount: float = 400.0) -> None:
    """Mia changes the arguments to some that it takes two for."""
    choice = Approve(refund.digest(ARGUMENTS), {**ARGUMENTS, "amount": amount})
    await office.desk.gate.decide(asked, choice, MIA, "api")


async def test_an_answer_approves_what_its_mail_showed(office: Office) -> None:
    asked = await office.desk.ask()
    await office.show(asked)

    assert await office.answer(office.reply_to(), "Approve\r\n\r\nThanks") == "decided"

    decided = (await office.desk.facts(asked)).decided
    assert decided is not None
    assert decided.decision == Approved(digest=refund.digest(ARGUMENTS))
    assert decided.by is not None
    assert (decided.by.person, decided.by.via) == ("lee", "mail")


async def test_an_answer_to_what_was_there_before_a_change_approves_nothing_and_says_so(office: Office) -> None:
    asked = await office.desk.ask()
    await office.show(asked)
    old = office.reply_to()
    await change(office, asked)

    assert await office.answer(old, "approve") == "refused: it has changed since"

    assert await office.desk.outcome(asked) == ""
    assert [vote.by.person for vote in (await office.desk.facts(asked)).record.votes] == ["mia"]
    assert "no longer what that mail showed" in office.says()


async def test_a_change_is_mailed_once_and_an_answer_to_that_mail_counts(office: Office) -> None:
    asked = await office.desk.ask()
    await office.show(asked)
    first = office.latest()
    assert await office.show(asked) == 0
    office.desk.clock.move(60)
    await change(office, asked)

    assert [await office.show(asked), await office.show(asked)] == [1, 0]

    changed = office.latest()
    assert changed["In-Reply-To"] == first["Message-ID"]
    assert changed["Date"] == "Wed, 25 Nov 2026 09:01:00 +0000"
    assert office.says().startswith("Changed: Refund: 1042")
    assert "amount: 400.0 (was 40.0)" in office.says()
    assert "Mia Novak approved (api)" in office.says()
    assert await office.answer(office.reply_to(), "approve") == "decided"
    assert await office.desk.outcome(asked) == "approved"


async def test_a_no_counts_whatever_has_changed_since(office: Office) -> None:
    asked = await office.desk.ask()
    await office.show(asked)
    old = office.reply_to()
    await change(office, asked)

    assert await office.answer(old, "reject Not like this") == "decided"

    decided = (await office.desk.facts(asked)).decided
    assert decided is not None
    assert decided.decision == Rejected(reason="Not like this")


async def test_whoever_votes_by_mail_is_told_that_it_waits_for_others(office: Office) -> None:
    asked = await office.desk.ask(approvers=TWO)
    await office.show(asked)
    to = office.reply_to()

    assert await office.answer(to, "approve") == "decided"
    assert "It takes 2 of role finance, so it waits for others now." in office.says()
    assert await office.desk.outcome(asked) == ""

    assert await office.answer(to, "approve!") == "repeated"
    assert len((await office.desk.facts(asked)).record.votes) == 1
    await office.show(asked, "mia")
    assert await office.answer(office.reply_to(), "approve", MIAS) == "decided"
    assert await office.desk.outcome(asked) == "approved"


async def test_a_second_thought_that_comes_too_late_is_told_so_and_no_repetition(office: Office) -> None:
    asked = await office.desk.ask()
    await office.show(asked)
    to = office.reply_to()
    await office.answer(to, "approve")
    sent = len(office.post.sent)

    assert await office.answer(to, "approve!") == "repeated"
    assert len(office.post.sent) == sent
    assert (await office.answer(to, "reject I was wrong")).startswith("refused")
    assert "Nothing was done: Lee Chen was first: this was approved already." in office.says()


async def test_an_answer_to_the_mail_of_a_plan_decides_all_of_its_calls(office: Office) -> None:
    asked = await office.desk.plan(OTHER, {**OTHER, "amount": 16.0})
    await office.show(asked[0])
    assert "decides for all 3 calls" in " ".join(office.says().split())

    assert await office.answer(office.reply_to(), "approve") == "decided"

    assert [await office.desk.outcome(each) for each in asked] == ["approved"] * 3


async def test_a_rejection_of_a_plan_rejects_what_of_it_is_still_open(office: Office) -> None:
    a, b = await office.desk.plan(OTHER)
    await office.show(a)
    await office.desk.gate.decide(b, Approve(refund.digest(OTHER)), MIA, "api")

    assert await office.answer(office.reply_to(), "reject no") == "decided"

    assert [await office.desk.outcome(each) for each in (a, b)] == ["rejected", "approved"]


async def test_an_answer_does_not_approve_a_call_that_joined_the_plan_after_its_mail(office: Office) -> None:
    asked = await office.desk.ask()
    await office.show(asked)
    old = office.reply_to()
    late = office.desk.request("call", {**OTHER, "amount": 99.0}, plan=asked, call_id="c2")
    await office.desk.threads.inform((await office.desk.facts(asked)).thread_id, [late])

    assert await office.answer(old, "approve") == "refused: it has changed since"
    assert [await office.desk.outcome(each) for each in (asked, late.approval_id)] == ["", ""]

    assert await office.show(asked) == 1
    assert await office.answer(office.reply_to(), "approve ") == "decided"
    assert [await office.desk.outcome(each) for each in (asked, late.approval_id)] == ["approved", "approved"]


async def test_a_settled_plan_is_mailed_with_what_became_of_each_call(office: Office) -> None:
    a, b = await office.desk.plan(OTHER)
    await office.show(a)
    await office.desk.gate.decide(b, Approve(refund.digest(OTHER)), MIA, "api")
    assert await office.show(a) == 0, "while one of its calls is open"
    await office.answer(office.reply_to(), "reject *no* [x](http://evil.example)")

    assert await office.show(a) == 1
    said = office.says()
    assert "Refund: rejected by Lee Chen (mail)." in said
    assert "Refund: approved by Mia Novak (api)." in said
    assert "In their words: *no* [x](http://evil.example)" in said


@pytest.mark.parametrize("words", ["ok thanks", "Approved", "approve it if you must", "yes", "> approve", ""])
async def test_vague_words_decide_nothing(office: Office, words: str) -> None:
    asked = await office.desk.ask()
    await office.show(asked)

    assert await office.answer(office.reply_to(), words) == "not understood"
    assert await office.desk.outcome(asked) == ""


async def test_a_token_of_another_person_or_another_time_is_dropped(office: Office) -> None:
    asked = await office.desk.ask()
    await office.show(asked)
    lees = office.reply_to()
    made_up = token.reply_address(AGENT, asked, "lee", SECRETS, "of something that was never shown")

    assert (await office.answer(lees, "approve", MIAS)).startswith("dropped")
    assert (await office.answer(made_up, "approve")).startswith("dropped")
    assert await office.desk.outcome(asked) == ""


async def test_an_answer_to_a_mail_of_an_older_release_counts_where_nothing_has_changed(office: Office) -> None:
    asked, changed = await office.desk.ask(), await office.desk.ask()
    old, stale = (token.reply_address(AGENT, each, "lee", SECRETS) for each in (asked, changed))
    await change(office, changed)

    assert await office.answer(old, "approve") == "decided"
    assert await office.answer(stale, "approve") == "refused: it has changed since"
    assert [await office.desk.outcome(each) for each in (asked, changed)] == ["approved", ""]
