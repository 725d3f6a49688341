"""An answer to an approval mail decides what that mail showed, for whoever it was mailed to, and nothing else."""

import pytest

from agent.verdict import Approved, Rejected
from approvals import token
from approvals.decision import Approve
from bot.mail.approval_mail import MAX_CALLS
from tests.desk import ARGUMENTS, MIA, SECRETS, refund
from tests.integration.mail.office import AGENT, MIAS, OTHER, TWO, Office


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


async def test_no_answer_approves_calls_that_its_mail_had_no_room_for(office: Office) -> None:
    asked = await office.desk.plan(*({**OTHER, "amount": float(number)} for number in range(MAX_CALLS)))
    await office.show(asked[0])
    assert "1 more call on the page" in office.says()
    assert "the one word “approve”" not in " ".join(office.says().split())
    to = office.reply_to()

    assert await office.answer(to, "approve") == "refused: the mail does not show all of it"
    assert "Nothing was done" in office.says()
    assert {await office.desk.outcome(each) for each in asked} == {""}

    assert await office.answer(to, "reject Too many") == "decided"
    assert {await office.desk.outcome(each) for each in asked} == {"rejected"}


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
