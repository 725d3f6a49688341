"""The fields of `policy.yaml`: what they become in a verdict, and what makes no sense."""

from collections.abc import Mapping

import pytest
from pydantic import ValidationError

from agent.conversation import ApiThread
from agent.effects import Ask, Step
from agent.events import ToolCall
from agent.state import ThreadState
from agent.tool import tool
from agent.verdict import Approvers, Seats
from approvals.policy import Policy
from approvals.policy_file import PolicyFile

TWO = {"each": [{"roles": ["finance"]}, {"people": ["dana"], "count": 1}]}


@tool
def refund(amount: int = 1) -> int:
    """Refund."""
    return amount


def asked(rule: Mapping[str, object], **default: object) -> Ask:
    file = {"default": default, "rules": [{"name": "r", "tools": ["refund"], "outcome": "ask", **rule}]}
    call = ToolCall(id="c1", provider_id="p1", name="refund")
    verdict = Policy(PolicyFile.model_validate(file)).judge(call, refund, ThreadState("thr_1", ApiThread(ref="1")))
    assert isinstance(verdict, Ask)
    return verdict


def test_two_of_one_group() -> None:
    entry = {"roles": ["finance"], "people": ["dana"], "count": 2, "requester": False, "rejections": 2}

    assert asked({"approvers": entry}).approvers == Approvers(
        roles=("finance",), people=("dana",), count=2, requester=False, rejections=2
    )


def test_one_of_each_group_in_order() -> None:
    assert asked({"approvers": {**TWO, "in_order": True}}).approvers == Approvers(
        each=(Seats(roles=("finance",)), Seats(people=("dana",), count=1)), in_order=True
    )


def test_times() -> None:
    rule = {
        "timeout": "2d",
        "reminders": 5,
        "escalation": [{"after": "4h", "roles": ["lead"]}, {"after": "1d", "people": ["dana"]}],
        "on_timeout": "reject",
        "in_business_hours": True,
    }
    hours = {"timezone": "Europe/Berlin"}

    ask = asked(rule, business_hours=hours)

    assert (ask.timeout, ask.reminders, ask.on_timeout, ask.in_business_hours) == (172800, 5, "reject", True)
    assert ask.escalation == (Step(14400, roles=("lead",)), Step(86400, people=("dana",)))


def test_what_nobody_says_is_left_to_the_deployment_and_never_approves() -> None:
    ask = asked({})

    assert (ask.timeout, ask.reminders, ask.escalation, ask.on_timeout) == (None, None, (), "expire")
    assert (ask.in_business_hours, ask.may_grant) == (False, False)


def test_the_default_says_what_a_rule_leaves_out_and_a_rule_may_say_otherwise() -> None:
    default = {
        "reminders": 4,
        "escalation": [{"after": "1h", "roles": ["lead"]}],
        "on_timeout": "reject",
        "in_business_hours": True,
        "business_hours": {},
        "may_grant": True,
        "approvers": {"roles": ["lead"]},
    }
    own = {"reminders": 0, "escalation": [], "on_timeout": "expire", "in_business_hours": False, "may_grant": False}

    theirs, ours = asked({}, **default), asked(own, **default)

    assert (theirs.reminders, theirs.escalation) == (4, (Step(3600, roles=("lead",)),))
    assert (theirs.on_timeout, theirs.in_business_hours, theirs.may_grant) == ("reject", True, True)
    assert (ours.reminders, ours.escalation) == (0, ())
    assert (ours.on_timeout, ours.in_business_hours, ours.may_grant) == ("expire", False, False)


def test_where_it_takes_several_people_nobody_may_grant_though_the_default_says_so() -> None:
    assert asked({"approvers": {"roles": ["lead"]}}, may_grant=True).may_grant
    assert not asked({"approvers": {"roles": ["lead"], "count": 2}}, may_grant=True).may_grant
    assert not asked({"approvers": {"roles": ["lead"], "rejections": 2}}, may_grant=True).may_grant


@pytest.mark.parametrize(
    "rule, complaint",
    [
        ({"on_timeout": "approve"}, "Input should be 'expire' or 'reject'"),
        ({"name": "default"}, "'default' is what is written where no rule decided"),
        ({"name": "error"}, "'error' is what is written where no rule decided"),
        ({"name": "guardrail 2"}, "'guardrail 2' is what is written where no rule decided"),
        ({"when": "args.amount >"}, "line 1, column 14"),
        ({"when": "amount > 5"}, "there is no variable `amount`"),
        ({"when": 'requester.role == "a"'}, "`requester` has no `role`; it has: id, name, email, roles"),
        ({"when": "time.hours > 5"}, "`time` has no `hours`"),
        ({"when": "cost.money > 5"}, "`cost` has no `money`; it has: tokens"),
        ({"when": ""}, "is empty"),
        ({"when": True}, "valid string"),
        ({"approvers": {"roles": ["a"], **TWO}}, "has both `each` and a group of its own"),
        ({"approvers": {"count": 2, **TWO}}, "has both `each` and a group of its own"),
        ({"approvers": {"roles": ["a"], "in_order": True}}, "`in_order` is about the groups of `each`"),
        ({"approvers": {"roles": ["a"], "count": 0}}, "greater than or equal to 1"),
        ({"approvers": {"each": [{"count": 2}]}}, "needs `roles` or `people`"),
        ({"approvers": {"roles": ["a"], "count": 2}, "may_grant": True}, "`may_grant` is for rules where one person"),
        ({"escalation": [{"after": "1h"}]}, "needs `roles` or `people` to say whom to ask"),
        ({"escalation": [{"roles": ["a"]}]}, "Field required"),
        ({"reminders": -1}, "greater than or equal to 0"),
        ({"business_hours": {}}, "Extra inputs"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(rule: Mapping[str, object], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        asked(rule)


def test_a_condition_alone_says_what_a_rule_is_about() -> None:
    file = PolicyFile.model_validate({"rules": [{"name": "r", "when": "size(taint) > 0", "outcome": "deny"}]})

    assert file.rules[0].when == "size(taint) > 0"


@pytest.mark.parametrize(
    "when", ['args.requester.role == "a"', '"requester.role" == tool', "requester.roles.size() > 0"]
)
def test_only_what_is_surely_misspelt_is_taken_for_it(when: str) -> None:
    PolicyFile.model_validate({"rules": [{"name": "r", "when": when, "outcome": "deny"}]})
