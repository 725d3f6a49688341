"""What is wrong with a policy, given who there is: seats that nobody can fill, and times that come too late."""

from collections.abc import Mapping

import pytest

from agent.tool import catalog, tool
from approvals.people import Directory, Person
from approvals.policy_check import mistakes, problems
from approvals.policy_file import PolicyFile

ADA = Person(id="ada", name="Ada", roles=("support", "lead"))
DANA = Person(id="dana", name="Dana", roles=("lead", "finance"))
LEE = Person(id="lee", name="Lee", roles=("cfo",))
BOT = Person(id="bot", name="Bot", roles=("lead", "robots"), service=True)
DIRECTORY = Directory([ADA, DANA, LEE, BOT], groups={"on-call": {"T1": "S1"}})
DEFAULT = {"approvers": {"roles": ["lead"]}}


@tool
def refund(amount: int) -> int:
    """Refund."""
    return amount


@tool
def mail_to(address: str, text: str) -> str:
    """Mail."""
    return text


FEW = ", all different people, and there are too few"
TOOLS = catalog([refund, mail_to])


def found(rule: Mapping[str, object], timeout: float | None = None, **default: object) -> list[tuple[str, str]]:
    file = {
        "default": {**DEFAULT, **default},
        "rules": [{"name": "r", "tools": ["refund"], "outcome": "ask", **rule}],
    }
    listed = problems(PolicyFile.model_validate(file), DIRECTORY, timeout)
    return [(".".join(map(str, path)), what) for path, what in listed]


def of_approvers(**entry: object) -> list[str]:
    return [what for path, what in found({"approvers": entry}) if path == "rules.0.approvers"]


@pytest.mark.parametrize(
    "entry, problem",
    [
        ({"roles": ["pilots"]}, "nobody may approve what it asks about"),
        ({}, "nobody may approve what it asks about"),
        ({"roles": ["robots"]}, "nobody may approve what it asks about"),
        ({"people": ["bot"]}, "nobody may approve what it asks about"),
        ({"people": ["lee"], "requester": False}, "nobody may approve what lee asks for: another person is wanted"),
        (
            {"roles": ["lead"], "count": 2, "requester": False},
            "nobody may approve what ada or dana asks for: another person is wanted",
        ),
        (
            {"roles": ["lead"], "count": 3},
            f"can never be approved: it takes 3 of role lead{FEW}",
        ),
        (
            {"people": ["lee"], "count": 2},
            f"can never be approved: it takes 2 of lee{FEW}",
        ),
        (
            {"each": [{"people": ["lee"]}, {"roles": ["cfo"]}]},
            f"can never be approved: it takes 1 of lee and 1 of role cfo{FEW}",
        ),
        (
            {"each": [{"roles": ["finance"]}, {"people": ["dana"]}], "in_order": True},
            f"can never be approved: it takes 1 of role finance and 1 of dana{FEW}",
        ),
        ({"people": ["lee"], "rejections": 2}, "can never be rejected: it takes 2 who say no, and 1 may"),
    ],
)
def test_seats_that_nobody_can_fill_are_pointed_out(entry: Mapping[str, object], problem: str) -> None:
    assert of_approvers(**entry) == [problem]


@pytest.mark.parametrize(
    "entry",
    [
        {"roles": ["lead"], "count": 2},
        {"roles": ["lead"], "requester": False},
        {"each": [{"roles": ["lead"]}, {"roles": ["finance"]}]},
        {"each": [{"roles": ["finance"]}, {"roles": ["lead"]}], "in_order": True},
        {"roles": ["on-call"]},
        {"roles": ["on-call"], "count": 5, "requester": False, "rejections": 5},
        {"each": [{"roles": ["on-call"]}, {"people": ["lee"]}]},
    ],
)
def test_seats_that_can_be_filled_or_may_be_are_not(entry: Mapping[str, object]) -> None:
    assert of_approvers(**entry) == []


def test_a_group_that_can_be_filled_does_not_hide_one_that_cannot() -> None:
    (problem,) = of_approvers(each=[{"roles": ["on-call"]}, {"people": ["lee"], "count": 2}])

    assert problem.startswith("can never be approved: it takes 2 of lee")


def test_the_default_is_looked_at_once_and_not_again_with_each_rule() -> None:
    file = PolicyFile.model_validate({"rules": [{"name": "r", "tools": ["refund"], "outcome": "ask"}]})

    assert [path for path, _ in problems(file, DIRECTORY)] == [("default", "approvers")]


@pytest.mark.parametrize(
    "rule, timeout, problem",
    [
        (
            {"timeout": "2h", "escalation": [{"after": "2h", "roles": ["cfo"]}]},
            None,
            ("rules.0.escalation.0", "asks others after 2h, and by then it expires (2h)"),
        ),
        (
            {"escalation": [{"after": "1h", "roles": ["cfo"]}, {"after": "2d", "roles": ["cfo"]}]},
            86400.0,
            ("rules.0.escalation.1", "asks others after 2d, and by then it expires (1d)"),
        ),
        (
            {"timeout": "90m", "on_timeout": "reject", "escalation": [{"after": "1d12h", "roles": ["cfo"]}]},
            None,
            ("rules.0.escalation.0", "asks others after 1d12h, and by then it is rejected (1h30m)"),
        ),
        (
            {"escalation": [{"after": "1h", "roles": ["robots"]}]},
            86400.0,
            ("rules.0.escalation.0", "asks nobody: role robots decides nothing"),
        ),
    ],
)
def test_escalations_that_come_too_late_or_to_nobody_are_pointed_out(
    rule: Mapping[str, object], timeout: float | None, problem: tuple[str, str]
) -> None:
    assert found(rule, timeout) == [problem]


def test_an_escalation_of_the_default_may_be_too_late_for_a_rule() -> None:
    assert found({"timeout": "30m"}, 86400.0, escalation=[{"after": "1h", "roles": ["cfo"]}]) == [
        ("rules.0", "asks others after 1h, and by then it expires (30m)")
    ]
    assert found({"escalation": [{"after": "1h", "roles": ["on-call"]}]}, 86400.0) == []


def test_a_rule_that_denies_asks_nobody() -> None:
    assert found({"outcome": "deny"}) == []


@pytest.mark.parametrize(
    "rule, path, complaint",
    [
        ({"tools": ["refnd"]}, "rules.0.tools.0", "there is no tool named refnd; there are: mail_to, refund"),
        ({"approvers": {"roles": ["boss"]}}, "rules.0.approvers.roles.0", "there is no role in people.yaml named boss"),
        (
            {"approvers": {"each": [{"roles": ["lead"]}, {"people": ["eve"]}]}},
            "rules.0.approvers.each.1.people.0",
            "there is no person in people.yaml named eve; there are: ada, bot, dana, lee",
        ),
        (
            {"escalation": [{"after": "1h", "roles": ["boss"]}]},
            "rules.0.escalation.0.roles.0",
            "there is no role in people.yaml named boss",
        ),
        (
            {"when": "args.total > 5"},
            "rules.0.when",
            "speaks of `args.total`, and none of the tools that it is about has that; they have: amount",
        ),
        (
            {"tools": ["*"], "when": "args.total > 5"},
            "rules.0.when",
            "speaks of `args.total`, and none of the tools that it is about has that; they have: address, amount, text",
        ),
        (
            {"when": "!time.in_business_hours"},
            "rules.0.when",
            "speaks of `time.in_business_hours`: `business_hours` under `default` must say which these are",
        ),
        (
            {"in_business_hours": True},
            "rules.0.in_business_hours",
            "needs `business_hours` under `default` to say which these are",
        ),
    ],
)
def test_names_that_lead_nowhere_are_mistakes_with_their_place(
    rule: Mapping[str, object], path: str, complaint: str
) -> None:
    file = {"default": DEFAULT, "rules": [{"name": "r", "tools": ["refund"], "outcome": "ask", **rule}]}

    ((where, what),) = mistakes(PolicyFile.model_validate(file), TOOLS, DIRECTORY)

    assert ".".join(map(str, where)) == path
    assert what.startswith(complaint)


def test_what_one_of_the_tools_has_may_be_spoken_of() -> None:
    rules = [
        {"name": "a", "tools": ["*"], "when": "has(args.amount) && args.amount > 1", "outcome": "ask"},
        {"name": "b", "effect": "write", "when": 'args.address.endsWith("x")', "outcome": "ask"},
        {"name": "c", "tools": ["crm_*"], "when": "args.anything == 1", "outcome": "ask"},
    ]

    assert list(mistakes(PolicyFile.model_validate({"rules": rules}), TOOLS, DIRECTORY)) == []
