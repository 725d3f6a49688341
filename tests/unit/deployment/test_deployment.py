"""A deployment is read whole, and a name that leads nowhere stops it with file, line and reason."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.conversation import ApiThread
from agent.effects import Allow, Ask
from agent.errors import ConfigError
from agent.events import ToolCall
from agent.state import ThreadState
from approvals.policy import able_to_decide
from bot.deployment import Deployment
from tests.fixtures import ROOT

FIN = "roles: [finance]"
FILES = (
    "agents.yaml",
    "policy.yaml",
    "people.yaml",
    "tools/registry.yaml",
    "tools/orders.py",
    "prompts/assistant.md",
    "prompts/guardrail.md",
)
Edit = Callable[[str, str, str], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def edit(folder: Path) -> Edit:
    def replace(name: str, old: str, new: str) -> None:
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1))

    return replace


def complaint(folder: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        Deployment.load(folder)
    return str(caught.value)


def test_the_example_deployment_is_whole(folder: Path) -> None:
    deployment = Deployment.load(folder)

    assert deployment.warnings == ()
    assert list(deployment.agent().tools) == ["lookup_order", "refund_order", "ask_human", "finish"]
    assert deployment.agent() is deployment.agent("support")
    assert deployment.agent().prompt.render(deployment.agent().variables)[0].startswith("You are Twokey,")
    assert [person.id for person in deployment.directory.people] == ["ada", "dana", "lee"]


def test_the_example_policy_asks_about_refunds_and_lets_look_ups_run(folder: Path) -> None:
    deployment = Deployment.load(folder)
    state = ThreadState("thr_1", ApiThread(ref="1"))
    verdicts = {
        name: deployment.policy.judge(ToolCall(id="c", provider_id="p", name=name), tool, state)
        for name, tool in deployment.tools.items()
    }

    refund = verdicts["refund_order"]
    assert isinstance(refund, Ask)
    assert [person.id for person in able_to_decide(refund.approvers, deployment.directory)] == ["dana", "lee"]
    assert verdicts["lookup_order"] == Allow("looking up is free")


@pytest.mark.parametrize(
    "name, old, new, expected",
    [
        ("agents.yaml", "- refund_order", "- refund_ordr", ": agents.support.tools.1: there is no tool"),
        ("agents.yaml", "prompt: assistant", "prompt: helper", ": agents.support.prompt: there is no prompt named"),
        ("agents.yaml", "default: support", "default: sales", "agents.yaml:4: default: there is no agent named sales"),
        ("agents.yaml", "agent_name: Twokey", "agent_nam: Twokey", "needs agent_name, too"),
        ("agents.yaml", "agent_name: Twokey", "agent_name: T\n      x: y", "the prompt assistant has no such variable"),
        ("policy.yaml", "[refund_order]", "[refund_oder]", ": rules.1.tools.0: there is no tool named refund_oder"),
        ("policy.yaml", "[support-lead, finance]", "[support-lead, fin]", "rules.1.approvers.roles.1: there is no"),
        ("policy.yaml", "[support-lead]", "[boss]", "default.approvers.roles.0: there is no role in people.yaml"),
        ("policy.yaml", "roles: [support-lead]", "people: [bob]", "default.approvers.people.0: there is no person in"),
        ("policy.yaml", "outcome: allow", "outcome: permit", ": rules.0.outcome: should be 'allow', 'ask' or 'deny'"),
        ("people.yaml", "lee@acme.example", "dana@acme.example", ": people.lee.email.0: dana@acme.example belongs"),
        ("people.yaml", "U0LEE", "lee", ": people.lee.slack.T0SANDBOX: String should match"),
        ("people.yaml", FIN, FIN + "\n    timezone: Berlin", ": people.lee.timezone: there is no time zone"),
        ("people.yaml", FIN, FIN + "\n    deputies: [bo]", ": people.lee.deputies.0: there is no person"),
        ("people.yaml", FIN, FIN + "\n    quiet: {from: 22:00, to: 07:00}", ".quiet.from: must be a time"),
        ("people.yaml", "people:\n", "timezone: Mars\npeople:\n", ": timezone: there is no time zone 'Mars'"),
        ("people.yaml", "people:\n", "roles: {cfo: {slack_group: {T1: x}}}\npeople:\n", ": roles.cfo.slack_group.T1:"),
        ("tools/registry.yaml", "orders.py", "order.py", ": tools.0.python: order.py: there is no such file in tools/"),
        ("tools/registry.yaml", "orders.py", "../x.py", ": tools.0.python: String should match"),
        ("tools/orders.py", '@tool(effect="read")', '@tool(effect="look"', "orders.py: line "),
        ("tools/orders.py", "import sqlite3", "import sqlite4", "ModuleNotFoundError: No module named 'sqlite4'"),
        ("prompts/assistant.md", "version: 1.0.0", "version: one", "prompts/assistant.md:3: version"),
    ],
)  # fmt: skip
def test_a_name_that_leads_nowhere_stops_the_start(
    folder: Path, edit: Edit, name: str, old: str, new: str, expected: str
) -> None:
    edit(name, old, new)

    said = complaint(folder)

    assert expected in said
    assert said.startswith(name.replace("tools/orders.py", "tools/registry.yaml") + ":")


def test_a_role_may_be_a_slack_group_that_nobody_is_known_to_be_in(folder: Path, edit: Edit) -> None:
    edit("people.yaml", "people:\n", "roles: {cfo: {slack_group: {T1: S1}}}\npeople:\n")
    edit("policy.yaml", "[support-lead, finance]", "[cfo]")

    deployment = Deployment.load(folder)

    assert "cfo" in deployment.directory.roles
    assert deployment.warnings == ()


@pytest.mark.parametrize("name", ["agents.yaml", "policy.yaml", "people.yaml"])
def test_a_missing_file_stops_the_start(folder: Path, name: str) -> None:
    (folder / name).unlink()

    assert complaint(folder).startswith(f"{name}: missing in {folder}")


def test_an_agent_needs_no_tools_of_its_own(folder: Path, edit: Edit) -> None:
    (folder / "tools" / "registry.yaml").unlink()
    edit("policy.yaml", "[refund_order]", '["refund_*"]')
    edit("agents.yaml", "      - lookup_order\n      - refund_order\n", "      []\n")

    assert list(Deployment.load(folder).agent().tools) == ["ask_human", "finish"]


def test_a_rule_that_nobody_can_decide_is_a_warning(folder: Path, edit: Edit) -> None:
    edit("policy.yaml", "      roles: [support-lead, finance]", "      roles: []")

    lines = (folder / "policy.yaml").read_text().splitlines()
    line = max(place for place, text in enumerate(lines, start=1) if text == "    approvers:")

    assert Deployment.load(folder).warnings == (
        f"policy.yaml:{line}: rules.1.approvers: nobody may approve what it asks about",
    )


def test_an_agent_that_is_gone_is_named() -> None:
    with pytest.raises(ConfigError, match="no agent named sales"):
        Deployment.load(ROOT).agent("sales")


def test_a_judge_is_set_up_by_naming_its_prompt(folder: Path, edit: Edit) -> None:
    assert Deployment.load(folder).agent().guardrail is None
    edit("agents.yaml", "    prompt: assistant ", "    guardrail: guardrail\n    prompt: assistant ")

    guardrail = Deployment.load(folder).agent().guardrail

    assert guardrail is not None
    assert guardrail.render({})[1].name == "guardrail"
    ask = Deployment.load(folder).policy.doubted()
    assert (ask.rule, ask.approvers.roles) == ("guardrail", ("support-lead",))


def test_a_judge_without_a_prompt_or_without_anybody_to_ask_stops_the_start(folder: Path, edit: Edit) -> None:
    edit("agents.yaml", "    prompt: assistant ", "    guardrail: gardrail\n    prompt: assistant ")
    edit("policy.yaml", "  approvers:\n    roles: [support-lead]", "  timeout: 24h\n  #")

    told = complaint(folder)

    assert "agents.yaml:" in told
    assert "there is no prompt named gardrail; there are: assistant, guardrail" in told
    assert "policy.yaml needs `default: approvers:`" in told
