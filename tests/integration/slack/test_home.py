"""The Home tab from opening it to acting on it: kept true by whatever process, for whoever opened it, and no more."""

import asyncio
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent.verdict import Approvers
from bot.slack.home_keeper import BACKOFF, HomeKeeper
from sandbox import cast
from sandbox.slack.directory import User
from sandbox.slack.standin import SlackStandIn
from tests.builders import a_call, calls, said
from tests.integration.slack.house import ADA, DANA, LEE, House, a_house, asking

REFUND = a_call("refund", "c1", order_id="1042", amount=40.0)
FINANCE = asking(approvers=Approvers(roles=("finance",)))


def published(slack: SlackStandIn, user: str = DANA) -> list[dict[str, Any]]:
    calls = [each for each in slack.calls() if each.method == "views.publish"]
    return [each.arguments for each in calls if each.arguments["user_id"] == user]


def keeper(house: House) -> HomeKeeper:
    found: HomeKeeper = house.app.on_home.__self__  # type: ignore[attr-defined]  # a bound method
    return found


async def test_what_waits_comes_and_goes_on_home_within_two_seconds(slack: SlackStandIn, tmp_path: Path) -> None:
    async with a_house(slack, tmp_path, FINANCE, calls(REFUND), said("Done.")) as house:
        for person in (DANA, LEE, ADA):
            await house.home(person)
            assert "Nothing waits for you" in str(house.tab(person))
        await house.say()
        async with asyncio.timeout(2):
            await house.until("it to wait for Dana", lambda: "Waiting for you: 1" in str(house.tab(DANA)))
        await house.until("it to wait for Lee", lambda: "Waiting for you: 1" in str(house.tab(LEE)))
        assert "Nothing waits for you" in str(house.tab(ADA))
        await house.click(LEE, "approval_approve")
        async with asyncio.timeout(2):
            await house.until("it to be gone", lambda: "Nothing waits for you" in str(house.tab(DANA)))
        await house.until("it to be done", lambda: "approved by Lee Chen in Slack, done" in str(house.tab(LEE)))
        assert "had a say" not in str(house.tab(DANA))


async def test_an_approval_is_opened_read_and_approved_on_home(slack: SlackStandIn, tmp_path: Path) -> None:
    async with a_house(slack, tmp_path, FINANCE, calls(REFUND), said("Done.")) as house:
        await house.say()
        await house.card()
        await house.home(DANA)
        await slack.click_view(DANA, house.tab(DANA)["id"], "approval_open")
        await house.app.errands.drain(15)
        modal = slack.open_views(DANA)[-1]
        assert "40.00 EUR for 1042" in str(modal["blocks"])
        await slack.click_view(DANA, modal["id"], "approval_approve")
        await house.app.errands.drain(15)
        assert "button" not in str(slack.open_views(DANA)[-1]["blocks"])
        await house.card("✅ Done")
        await house.until("Home to say so", lambda: "approved by Dana Reyes in Slack, done" in str(house.tab(DANA)))


async def test_it_is_rejected_with_a_reason_in_a_form_over_the_opened_one(slack: SlackStandIn, tmp_path: Path) -> None:
    async with a_house(slack, tmp_path, FINANCE, calls(REFUND), said("All right.")) as house:
        await house.say()
        await house.card()
        await house.home(DANA)
        await slack.click_view(DANA, house.tab(DANA)["id"], "approval_open")
        await house.app.errands.drain(15)
        await slack.click_view(DANA, slack.open_views(DANA)[-1]["id"], "approval_reject")
        await house.app.errands.drain(15)
        assert len(slack.open_views(DANA)) == 2
        await house.submit(DANA, words="Not this one.")
        assert slack.open_views(DANA) == []
        await house.card("Not this one.")


async def test_whoever_may_not_decide_is_told_in_a_window_over_the_one_they_clicked_in(
    slack: SlackStandIn, tmp_path: Path
) -> None:
    async with a_house(slack, tmp_path, FINANCE, calls(REFUND)) as house:
        await house.say()
        await house.card()
        await house.home(DANA)
        await slack.click_view(DANA, house.tab(DANA)["id"], "approval_open")
        await house.app.errands.drain(15)
        modal = slack.open_views(DANA)[-1]
        users = slack.workspace.directory.users
        users[DANA] = replace(users[DANA], is_restricted=True)
        await slack.click_view(DANA, modal["id"], "approval_approve")
        await house.app.errands.drain(15)
        assert "Guests of this Slack workspace cannot decide." in str(slack.open_views(DANA)[-1]["blocks"])
        assert house.ledger.refunds == []


async def test_somebody_else_cannot_take_a_grant_back(slack: SlackStandIn, tmp_path: Path) -> None:
    async with a_house(slack, tmp_path, asking(may_grant=True), calls(REFUND), said("Done.")) as house:
        await house.say()
        await house.card()
        await house.choose(DANA, "grant")
        await house.submit(DANA)
        await house.submit(DANA)
        await house.until("the refund", lambda: house.ledger.refunds)
        [grant] = await house.service.index.grants()
        trigger = slack.workspace.tickets.trigger(ADA, cast.TEAM)
        action = {"action_id": "grant_revoke", "block_id": f"grant:{grant.grant.id}", "value": grant.grant.id}
        body: dict[str, Any] = {"type": "block_actions", "user": {"id": ADA, "team_id": cast.TEAM}}
        body |= {"team": {"id": cast.TEAM}, "trigger_id": trigger, "actions": [action]}
        body |= {"view": {"id": "V1", "type": "home"}}
        assert (await slack.send_interaction(body)).ok
        await house.app.errands.drain(15)
        assert "Not recorded" in str(slack.open_views(ADA)[-1])
        [still] = await house.service.index.grants()
        assert still.revoked is None


async def test_whoever_is_not_in_people_yaml_sees_no_list_and_is_not_kept(slack: SlackStandIn, tmp_path: Path) -> None:
    async with a_house(slack, tmp_path, FINANCE, calls(REFUND)) as house:
        slack.add_user(User("U0NEW", "new", "New", cast.TEAM))
        await house.home("U0NEW")
        assert "Mention me in a channel" in str(house.tab("U0NEW"))
        assert "waits" not in str(house.tab("U0NEW")).lower().replace("wait for one of the right people", "")
        assert await keeper(house).homes.due(10**9) == []


async def test_what_changes_nothing_on_it_is_not_published_again(slack: SlackStandIn, tmp_path: Path) -> None:
    async with a_house(slack, tmp_path, FINANCE, said("Hello."), said("Hello again.")) as house:
        await house.home(DANA)
        await house.say("hello")
        await house.until("the answer", lambda: house.model.requests)
        await asyncio.sleep(0.1)
        await keeper(house).round()
        assert len(published(slack)) == 1
        await house.home(DANA)
        assert len(published(slack)) == 2


async def test_another_process_goes_on_with_what_was_opened(slack: SlackStandIn, tmp_path: Path) -> None:
    async with a_house(slack, tmp_path, FINANCE) as house:
        await house.home(DANA)
    (tmp_path / "twokey.db").replace(tmp_path / "kept.db")
    async with a_house(slack, tmp_path, FINANCE, calls(REFUND), database=tmp_path / "kept.db") as house:
        await house.say()
        await house.until("it to wait for Dana", lambda: "Waiting for you: 1" in str(house.tab(DANA)))


async def test_a_tab_that_slack_does_not_take_is_tried_again_later(slack: SlackStandIn, tmp_path: Path) -> None:
    async with a_house(slack, tmp_path, FINANCE) as house:
        slack.faults.next("views.publish", "error:internal_error")
        await house.home(DANA)
        assert house.tab(DANA) == {}
        assert await keeper(house).homes.due(10**9) == []
        house.clock.move(BACKOFF + 1)
        await house.until("the second try", lambda: "Nothing waits for you" in str(house.tab(DANA)))


async def test_the_inbox_is_entered_by_a_link_for_whoever_clicked(slack: SlackStandIn, tmp_path: Path) -> None:
    async with a_house(slack, tmp_path, FINANCE, said("Hello.")) as house:
        await house.home(DANA)
        await slack.click_view(DANA, house.tab(DANA)["id"], "inbox_open")
        await house.app.errands.drain(15)
        (found,) = re.findall(
            r"https://agent\.example/twokey/inbox/sign-in/([\w.~-]+)", str(slack.open_views(DANA)[-1])
        )
        session = await house.service.sign_in.accept_link(found)
        assert session is not None
        assert session.person.name == "Dana Reyes"
        assert await house.service.sign_in.accept_link(found) is None


async def test_who_is_a_guest_by_now_gets_no_link_to_the_inbox(slack: SlackStandIn, tmp_path: Path) -> None:
    async with a_house(slack, tmp_path, FINANCE, said("Hello.")) as house:
        await house.home(DANA)
        dana = slack.workspace.directory.users[DANA]
        slack.workspace.directory.users[DANA] = replace(dana, is_restricted=True)
        await slack.click_view(DANA, house.tab(DANA)["id"], "inbox_open")
        await house.app.errands.drain(15)
        assert "sign-in" not in str(slack.open_views(DANA)[-1])
        assert "guest" in str(slack.open_views(DANA)[-1]).lower()
