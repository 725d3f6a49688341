"""Slack's description of an account, read so that whatever it does not say counts against it."""

import pytest

from agent.conversation import Identity
from bot.slack.standing import STRANGER, UNCHECKED, objection

WHO = Identity(channel="slack", team="T1", id="U1")
MEMBER: dict[str, object] = {
    "id": "U1",
    "team_id": "T1",
    "deleted": False,
    "is_bot": False,
    "is_restricted": False,
    "is_ultra_restricted": False,
}


def test_a_member_has_nothing_against_them() -> None:
    assert objection(MEMBER, WHO, "T1") == ""


@pytest.mark.parametrize("left_out", sorted(MEMBER))
def test_what_slack_does_not_say_counts_against_them(left_out: str) -> None:
    known = {name: value for name, value in MEMBER.items() if name != left_out}

    assert objection(known, WHO, "T1") in {UNCHECKED, STRANGER}


@pytest.mark.parametrize("odd", [None, "false", 0, "", []])
def test_only_a_plain_no_is_a_no(odd: object) -> None:
    assert objection({**MEMBER, "is_restricted": odd}, WHO, "T1") == UNCHECKED


def test_a_stranger_is_one_whatever_else_is_said() -> None:
    assert objection({**MEMBER, "is_stranger": True}, WHO, "T1") == STRANGER


@pytest.mark.parametrize("teams, reason", [(["T2", "T1"], ""), (["T2"], STRANGER), ("T1", STRANGER), (None, STRANGER)])
def test_an_account_of_an_organisation_may_belong_to_several_workspaces(teams: object, reason: str) -> None:
    account = {**MEMBER, "team_id": "T2", "enterprise_user": {"teams": teams}}

    assert objection(account, WHO, "T1") == reason


def test_the_answer_must_be_about_who_was_asked_about() -> None:
    assert objection({**MEMBER, "id": "U2"}, WHO, "T1") == UNCHECKED


def test_without_a_workspace_nothing_is_known() -> None:
    assert objection(MEMBER, WHO, "") == UNCHECKED
