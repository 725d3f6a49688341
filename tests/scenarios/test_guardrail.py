"""A deployment with a judge beside a policy that allows refunds: small ones run, a large one waits for people."""

from pathlib import Path

from sandbox import cast
from tests.running import RunningAgent, an_agent, until

POLICY = """
default:
  approvers:
    roles: [support-lead]
  show_on: [thread]
rules:
  - name: everything
    tools: ["lookup_order", "refund_order"]
    outcome: allow
"""


def ended(agent: RunningAgent) -> list[object]:
    """The tools that came back, in order."""
    return [line["tool"] for line in agent.events("tool.ended")]


async def test_the_judge_lets_a_small_refund_run_and_has_people_asked_about_a_large_one(tmp_path: Path) -> None:
    async with an_agent(tmp_path) as agent:
        (tmp_path / "policy.yaml").write_text(POLICY)
        agents = (tmp_path / "agents.yaml").read_text()
        (tmp_path / "agents.yaml").write_text(agents.replace("    prompt: ", "    guardrail: guardrail\n    prompt: "))
        slack = agent.sandbox.slack
        await agent.start()
        await slack.say(cast.ADA.slack, cast.SUPPORT.id, "please refund order 1042", mention=True)
        await until("the small refund", lambda: "refund_order" in ended(agent), patience=40)
        large = await slack.say(cast.ADA.slack, cast.SUPPORT.id, "please refund order 1043", mention=True)

        def card() -> bool:
            return "The guardrail scored this call 0.95" in str(slack.messages(cast.SUPPORT.id, large.ts))

        await until("the card", card, patience=40)

        assert agent.refunds() == [("1042", 40.0)]
        assert [(line["tool"], line["score"]) for line in agent.events("call.scored")] == [
            ("refund_order", 0.1),
            ("refund_order", 0.95),
        ]
        assert [line["tool"] for line in agent.events("approval.requested")] == ["refund_order"]
