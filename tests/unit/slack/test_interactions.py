"""Clicks and forms: what each means, of whom, and that anything else means nothing."""

from typing import Any

import pytest

from agent.conversation import Identity, JsonObject
from bot.slack.interactions import Click, Place, click_of, submission_of

TS, ROOT = "1700000002.000200", "1700000001.000100"


def click(action_id: str = "approval_approve", **changes: Any) -> JsonObject:  # noqa: ANN401 - JSON
    whole: JsonObject = {
        "user": {"id": "U0DANA", "team_id": "T0"},
        "team": {"id": "T0"},
        "trigger_id": "1.2.3",
        "container": {"message_ts": TS, "channel_id": "C0", "thread_ts": ROOT},
        "actions": [{"action_id": action_id, "block_id": "approval:apr_1", "value": "apr_1"}],
    }
    return whole | changes


def test_a_click_says_who_did_what_where() -> None:
    assert click_of(click()) == Click(
        approval_id="apr_1",
        deed="approve",
        who=Identity(channel="slack", id="U0DANA", team="T0"),
        place=Place("C0", TS, ROOT),
        trigger_id="1.2.3",
    )


@pytest.mark.parametrize(
    "action_id, deed, choice",
    [
        ("approval_reject", "reject", -1),
        ("approval_edit", "edit", -1),
        ("approval_answer", "answer", -1),
        ("approval_details", "details", -1),
        ("approval_choice_0", "choose", 0),
        ("approval_choice_12", "choose", 12),
    ],
)
def test_every_button_has_its_meaning(action_id: str, deed: str, choice: int) -> None:
    found = click_of(click(action_id))
    assert found is not None
    assert (found.deed, found.choice) == (deed, choice)


@pytest.mark.parametrize("deed", ["edit", "reject", "remark", "instead", "details", "grant"])
def test_every_line_of_the_menu_has_its_meaning(deed: str) -> None:
    action: JsonObject = {"action_id": "approval_more", "block_id": f"approval:apr_1:{'0' * 64}"}
    chosen: JsonObject = {"selected_option": {"value": f"{deed}:apr_1"}}
    found = click_of(click(actions=[action | chosen]))
    assert found is not None
    assert (found.deed, found.approval_id, found.shown) == (deed, "apr_1", "0" * 64)
    for other in ("approve:apr_1", f"{deed}:apr_2", deed, ""):
        assert click_of(click(actions=[action | {"selected_option": {"value": other}}])) is None


@pytest.mark.parametrize(
    "action_id, deed",
    [
        ("plan_approve", "approve_all"),
        ("plan_reject", "reject_all"),
        ("plan_choose", "choose_each"),
        ("approval_details", "details"),
    ],
)
def test_the_buttons_of_a_plan_say_what_was_shown(action_id: str, deed: str) -> None:
    action: JsonObject = {"action_id": action_id, "block_id": "plan:apr_1:stamp", "value": "apr_1"}
    found = click_of(click(actions=[action]))
    assert found is not None
    assert (found.deed, found.approval_id, found.shown) == (deed, "apr_1", "stamp")


@pytest.mark.parametrize(
    "action_id, block_id",
    [
        ("approval_approve", "plan:apr_1:stamp"),
        ("plan_approve", "approval:apr_1"),
        ("grant_revoke", "approval:apr_1"),
        ("approval_approve", "grant:apr_1"),
        ("approval_approve", "apr_1"),
    ],
)
def test_a_button_in_a_block_of_another_kind_means_nothing(action_id: str, block_id: str) -> None:
    action: JsonObject = {"action_id": action_id, "block_id": block_id, "value": "apr_1"}
    assert click_of(click(actions=[action])) is None


def test_a_click_in_a_modal_or_on_the_home_tab_says_so() -> None:
    in_modal = click_of(click(view={"id": "V1", "type": "modal"}, container={"type": "view", "view_id": "V1"}))
    at_home = click_of(click(view={"id": "V2", "type": "home"}, container={"type": "view", "view_id": "V2"}))
    assert in_modal is not None
    assert at_home is not None
    assert (in_modal.view_id, in_modal.is_modal) == ("V1", True)
    assert (at_home.view_id, at_home.is_modal) == ("V2", False)


@pytest.mark.parametrize("action_id", ["approval_choice_", "approval_choice_x", "approval_choice_²", "approve", ""])
def test_other_buttons_mean_nothing(action_id: str) -> None:
    assert click_of(click(action_id)) is None


def test_a_button_whose_value_and_block_disagree_means_nothing() -> None:
    action: JsonObject = {"action_id": "approval_approve", "block_id": "approval:apr_1", "value": "apr_2"}
    assert click_of(click(actions=[action])) is None
    assert click_of(click(actions=[])) is None


def test_the_clicker_is_of_their_own_team() -> None:
    found = click_of(click(user={"id": "U0X", "team_id": "T0PARTNER"}))
    assert found is not None
    assert found.who.key == "slack:T0PARTNER:U0X"


def test_a_submission_carries_what_stands_in_its_fields() -> None:
    view: JsonObject = {"callback_id": "approval_reject", "private_metadata": "{}", "state": {"values": {"b": {}}}}
    found = submission_of({"user": {"id": "U0DANA", "team_id": "T0"}, "view": view})
    assert (found.callback_id, found.metadata, found.values) == ("approval_reject", "{}", {"b": {}})
    assert submission_of({}).values == {}
