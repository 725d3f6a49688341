"""What the policy says of a call, rule by rule."""

from agent.effects import Ask
from approvals.policy import Policy
from approvals.policy_file import PolicyFile
from tests.unit.policy.payments import call, pay, thread


def test_an_explanation_says_of_each_rule_what_became_of_it() -> None:
    file = {
        "rules": [
            {"name": "others", "tools": ["other"], "outcome": "allow"},
            {"name": "reads", "effect": "read", "outcome": "allow"},
            {"name": "small", "tools": ["pay"], "when": "args.amount < 100", "outcome": "allow"},
            {"name": "big", "tools": ["pay"], "when": "args.amount > 500", "outcome": "ask"},
            {"name": "later", "tools": ["p*"], "outcome": "deny"},
        ]
    }
    made = call({"amount": 600})

    explained = Policy(PolicyFile.model_validate(file)).explain(made, pay, thread(made))

    assert [(each.rule, each.outcome, each.because) for each in explained.looked] == [
        ("others", "does not match", "it is about other"),
        ("reads", "does not match", "it is about tools whose effect is read"),
        ("small", "does not match", "it is not so that args.amount < 100"),
        ("big", "decided", "it is about pay; it is so that args.amount > 500"),
        ("later", "matches", "a rule before it decided"),
    ]
    assert isinstance(explained.verdict, Ask)
    assert explained.verdict.rule == "big"


def test_an_explanation_says_which_rule_could_not_be_judged() -> None:
    file = {
        "rules": [
            {"name": "broken", "tools": ["pay"], "when": "args.other == 1", "outcome": "allow"},
            {"name": "all", "tools": ["*"], "outcome": "allow"},
        ]
    }
    made = call({"amount": 600})

    explained = Policy(PolicyFile.model_validate(file)).explain(made, pay, thread(made))

    assert [each.outcome for each in explained.looked] == ["could not be judged", "matches"]
    assert explained.looked[0].because == "there is no `other`"
    assert isinstance(explained.verdict, Ask)
