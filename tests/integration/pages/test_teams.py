"""Approvals that take several people, several calls at once, questions to the agent, and results given by hand."""

import re
from dataclasses import replace

import pytest

from agent.conversation import JsonObject
from agent.effects import Ask, Verdict
from agent.events import ApprovalEscalated, RemarkAnswered, ToolCall
from agent.state import ThreadState
from agent.tool import Tool
from agent.verdict import Answered, Approvers, Seats
from approvals.decision import Approve
from approvals.policy import Policy
from tests.desk import ARGUMENTS, MIA, POLICY, Desk, refund
from tests.integration.pages.conftest import Visitor

TWO = Approvers(roles=("finance",), count=2)
IN_ORDER = Approvers(each=(Seats(people=("mia",)), Seats(people=("lee",))), in_order=True)
OTHER: JsonObject = {"order_id": "1043", "amount": 15.0}
EVIL = "<img src=x onerror=alert(1)>\u202egnp\u200b"


class Strict(Policy):
    """Wants two where it is about more than 100."""

    def judge(self, call: ToolCall, tool: Tool, state: ThreadState) -> Verdict:
        """By the amount."""
        amount = call.arguments["amount"]
        is_much = isinstance(amount, float | int) and amount > 100
        return Ask("much", "It is much.", TWO) if is_much else super().judge(call, tool, state)


@pytest.fixture
def strict(desk: Desk) -> Desk:
    """A deployment with that policy. Named before whoever visits it."""
    desk.gate = replace(desk.gate, policy=Strict(POLICY))
    return desk


# --- several people -------------------------------------------------------------------------------------------------


async def test_the_page_says_whose_approval_it_takes_and_who_has_said_what(desk: Desk, lee: Visitor) -> None:
    asked = await desk.ask(approvers=TWO)
    assert "It takes 2 of role finance." in (await lee.open(desk.link(asked))).text
    await desk.gate.decide(asked, Approve(refund.digest(ARGUMENTS)), MIA, "slack")

    page = await lee.open(desk.link(asked))

    assert "Mia Novak approved in Slack, 25 November 2026, 09:00 UTC" in page.text
    assert 'name="decision" value="approve"' in page.text


async def test_whoever_has_approved_is_told_what_it_still_waits_for_and_may_reject(desk: Desk, lee: Visitor) -> None:
    asked = await desk.ask(approvers=TWO)
    link = desk.link(asked)
    await lee.send(link, decision="approve")

    page = await lee.open(link)

    assert "You have approved it. It takes 2 of role finance." in page.text
    assert 'value="approve"' not in page.text
    assert (await lee.send(link, decision="approve")).status_code == 403
    assert (await lee.send(link, decision="reject")).status_code == 303
    assert await desk.outcome(asked) == "rejected"


async def test_whose_turn_it_is_not_is_told_whose_it_is(desk: Desk, lee: Visitor) -> None:
    page = await lee.open(desk.link(await desk.ask(approvers=IN_ORDER)))

    assert "It is not your turn yet: first mia." in page.text
    assert 'value="approve"' not in page.text


async def test_a_change_that_takes_others_is_shown_with_who_made_it_and_what_it_was(strict: Desk, lee: Visitor) -> None:
    asked = await strict.ask()
    link = strict.link(asked)

    sent = await lee.send(link, decision="edit", typed={"argument.amount": "400"})

    assert sent.status_code == 303
    page = await lee.open(link)
    assert "Lee Chen changed the arguments." in page.text
    assert re.search(r"<ins[^>]*>400</ins>.*?instead of.*?<del[^>]*>40.0</del>", page.text, re.DOTALL)
    assert await strict.outcome(asked) == ""


async def test_a_form_for_what_was_there_before_a_change_does_not_approve_the_change(
    strict: Desk, lee: Visitor
) -> None:
    asked = await strict.ask()
    link = strict.link(asked)
    old = await lee.open(link)
    await strict.gate.decide(asked, Approve(refund.digest(ARGUMENTS), {**ARGUMENTS, "amount": 400.0}), MIA, "slack")

    late = await lee.send(link, old, decision="approve")

    assert late.status_code == 409
    assert "no longer what was shown" in late.text
    assert await strict.outcome(asked) == ""


async def test_it_is_said_that_more_people_were_asked(desk: Desk, lee: Visitor) -> None:
    asked = await desk.ask()
    more = Approvers(roles=("finance", "support"))
    event = ApprovalEscalated(at=desk.clock.now(), approval_id=asked, step=1, approvers=more)
    await desk.threads.inform((await desk.facts(asked)).thread_id, [event])

    assert "more people were asked" in (await lee.open(desk.link(asked))).text


# --- questions, and results by hand ---------------------------------------------------------------------------------


async def test_an_approver_asks_the_agent_and_reads_the_answer_without_deciding(desk: Desk, lee: Visitor) -> None:
    asked = await desk.ask()
    link = desk.link(asked)

    assert (await lee.send(link, decision="remark", text=" Is it <new>?\r\nReally? ")).status_code == 303
    page = await lee.open(link)
    assert "Is it &lt;new&gt;?\nReally?" in page.text
    assert "The agent has not answered yet." in page.text

    answer = RemarkAnswered(at=desk.clock.now(), approval_id=asked, number=1, text=EVIL)
    await desk.threads.inform((await desk.facts(asked)).thread_id, [answer])
    page = await lee.open(link)
    assert "has not answered yet" not in page.text
    assert "<img" not in page.text
    assert "U+202E" in page.text
    assert "Look closely" in page.text
    assert await desk.outcome(asked) == ""
    (remark,) = (await desk.facts(asked)).record.remarks
    assert (remark.asked.by.person, remark.asked.by.address) == ("lee", "203.0.113.7")


async def test_an_empty_question_is_not_asked(desk: Desk, lee: Visitor) -> None:
    asked = await desk.ask()

    assert (await lee.send(desk.link(asked), decision="remark", text=" ")).status_code == 422
    assert (await desk.facts(asked)).record.remarks == ()


async def test_an_approver_gives_the_result_in_place_of_running_the_call(desk: Desk, lee: Visitor) -> None:
    asked = await desk.ask()

    assert (await lee.send(desk.link(asked), decision="answer", text="Paid by hand.")).status_code == 303

    decided = (await desk.facts(asked)).decided
    assert decided is not None
    assert decided.decision == Answered(text="Paid by hand.")


async def test_ten_thousand_characters_are_reachable_in_full_in_every_place(desk: Desk, lee: Visitor) -> None:
    text = "".join(f"{number:05}" for number in range(2_000))
    asked = await desk.ask(arguments={**ARGUMENTS, "note": text})
    too_long = await lee.send(desk.link(asked), decision="remark", text=text)
    await lee.send(desk.link(asked), decision="remark", text=text[:4_000])

    page = await lee.open(desk.link(asked))

    assert page.text.count(text) == 2, "as an argument, and in its field"
    assert page.text.count(text[:4_000]) == 3, "in the question, too"
    assert too_long.text.count(text) == 3, "what was typed is not lost"
