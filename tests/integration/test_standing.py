"""Whoever decides is looked up at that moment: in the list of people, among their groups, and where they come from."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from agent.conversation import Identity
from agent.errors import Refused
from agent.verdict import Approvers
from approvals.decision import Approve, Reject
from approvals.people import Away, Directory, Person
from tests.desk import ARGUMENTS, Desk, desk_at, refund
from tests.fakes import FakeStanding

TEAM = "T0SANDBOX"
LEE = Identity(channel="slack", team=TEAM, id="U0LEE")
ZOE = Identity(channel="slack", team=TEAM, id="U0ZOE")
UNLISTED = Identity(channel="slack", team=TEAM, id="U0NEW")
PEOPLE = (
    Person(id="lee", name="Lee", roles=("finance",), slack={TEAM: "U0LEE"}, deputies=("zoe",)),
    Person(id="zoe", name="Zoe", slack={TEAM: "U0ZOE"}),
)
GROUPS = {"treasury": {TEAM: "S0TREASURY"}}
YES = Approve(refund.digest(ARGUMENTS))


@pytest.fixture
def slack() -> FakeStanding:
    standing = FakeStanding(groups={"S0TREASURY": ("U0ZOE", "U0NEW")})
    for user in ("U0LEE", "U0ZOE", "U0NEW"):
        standing.account(user)
    return standing


@pytest.fixture
async def desk(tmp_path: Path, slack: FakeStanding) -> AsyncIterator[Desk]:
    async with desk_at(tmp_path) as found:
        found.gate = replace(found.gate, directory=Directory(PEOPLE, GROUPS), standing=slack)
        yield found


async def refusal(desk: Desk, approval_id: str, who: Identity) -> str:
    with pytest.raises(Refused) as refused:
        await desk.gate.decide(approval_id, YES, who, "slack")
    assert await desk.outcome(approval_id) == ""
    return str(refused.value)


async def test_a_listed_member_decides(desk: Desk, slack: FakeStanding) -> None:
    approval_id = await desk.ask()

    await desk.gate.decide(approval_id, YES, LEE, "slack")

    assert await desk.outcome(approval_id) == "approved"
    assert slack.asked == ["U0LEE"]


@pytest.mark.parametrize("flag", ["is_restricted", "is_ultra_restricted", "deleted", "is_bot", "is_stranger"])
async def test_who_is_listed_and_is_no_member_any_more_decides_nothing(
    desk: Desk, slack: FakeStanding, flag: str
) -> None:
    approval_id = await desk.ask()
    slack.account("U0LEE", flag)

    assert await refusal(desk, approval_id, LEE)


async def test_nothing_is_decided_while_slack_cannot_be_asked(desk: Desk, slack: FakeStanding) -> None:
    approval_id = await desk.ask()
    slack.is_down = True

    assert "nothing was decided; try again" in await refusal(desk, approval_id, LEE)
    slack.is_down = False
    await desk.gate.decide(approval_id, Reject(), LEE, "slack")
    assert await desk.outcome(approval_id) == "rejected"


async def test_a_token_or_a_mail_is_proof_enough_without_slack(desk: Desk, slack: FakeStanding) -> None:
    approval_id = await desk.ask()
    slack.is_down = True

    await desk.gate.decide(approval_id, YES, Identity(channel="api", id="lee"), "api")

    assert await desk.outcome(approval_id) == "approved"


async def test_a_group_is_looked_up_at_the_click(desk: Desk, slack: FakeStanding) -> None:
    approval_id = await desk.ask(approvers=Approvers(roles=("treasury",)))
    slack.groups["S0TREASURY"] = ()
    assert await refusal(desk, approval_id, ZOE) == "Only these may decide this: role treasury."

    slack.groups["S0TREASURY"] = ("U0ZOE",)
    await desk.gate.decide(approval_id, YES, ZOE, "slack")

    assert await desk.outcome(approval_id) == "approved"


async def test_who_is_in_the_group_and_not_in_the_list_of_people_is_nobody(desk: Desk) -> None:
    approval_id = await desk.ask(approvers=Approvers(roles=("treasury",)))

    assert await refusal(desk, approval_id, UNLISTED) == "You are not in this deployment's list of people."


async def test_a_group_that_cannot_be_looked_up_lets_nobody_in_by_it(desk: Desk, slack: FakeStanding) -> None:
    approval_id = await desk.ask(approvers=Approvers(roles=("treasury",)))
    slack.is_down = True

    expected = "I could not check with Slack who is in treasury; nothing was decided; try again."
    assert await refusal(desk, approval_id, Identity(channel="api", id="zoe")) == expected


async def test_without_slack_a_group_is_nobodys_role(desk: Desk, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    async with desk_at(plain) as other:
        other.gate = replace(other.gate, directory=Directory(PEOPLE, GROUPS))
        by_group = await other.ask(approvers=Approvers(roles=("treasury",)))
        by_list = await other.ask()

        assert "could not check" in await refusal(other, by_group, Identity(channel="api", id="zoe"))
        await other.gate.decide(by_list, YES, Identity(channel="api", id="lee"), "api")

        assert await other.outcome(by_list) == "approved"


async def test_a_deputy_decides_from_the_day_on_that_the_other_is_away(desk: Desk) -> None:
    approval_id = await desk.ask()
    assert "role finance" in await refusal(desk, approval_id, ZOE)

    away = PEOPLE[0].model_copy(update={"away": (Away.model_validate({"from": "2026-11-25"}),)})
    desk.gate = replace(desk.gate, directory=Directory([away, PEOPLE[1]], GROUPS))
    await desk.gate.decide(approval_id, YES, ZOE, "slack")

    decided = (await desk.facts(approval_id)).decided
    assert decided is not None
    assert decided.by is not None
    assert decided.by.person == "zoe"
