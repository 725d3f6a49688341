"""The whole path, for real: a process, signed requests through Bolt, SMTP, a model server, and a click in between."""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot import environment
from sandbox import cast
from tests.fixtures import ROOT
from tests.running import RunningAgent, an_agent, until

Message = dict[str, Any]
ASK = "please refund order 1042, it arrived broken"


def card(agent: RunningAgent, thread_ts: str) -> Message | None:
    """The approval card in the thread, once it is there."""
    for message in agent.sandbox.slack.messages(cast.SUPPORT.id, thread_ts):
        for block in message.get("blocks", []):
            if str(block.get("block_id", "")).startswith("approval:"):
                return message
    return None


def replies(agent: RunningAgent, thread_ts: str) -> list[str]:
    """What the agent said in the thread, cards aside."""
    found = agent.sandbox.slack.messages(cast.SUPPORT.id, thread_ts)
    return [str(each) for each in found if "I refunded" in str(each)]


def home(agent: RunningAgent) -> str:
    """Dana's Home tab."""
    found = agent.sandbox.slack.workspace.views.home_of(cast.DANA.slack)
    return str(found.content) if found else ""


async def ask(agent: RunningAgent) -> tuple[str, Message]:
    """Ada asks for a refund; her message's ts, and the card."""
    said = await agent.sandbox.slack.say(cast.ADA.slack, cast.SUPPORT.id, ASK, mention=True)
    found = await until("the card", lambda: card(agent, said.ts))
    assert isinstance(found, dict)
    return said.ts, found


async def approve(agent: RunningAgent, shown: Message) -> None:
    """Dana presses Approve."""
    answer = await agent.sandbox.slack.click(cast.DANA.slack, cast.SUPPORT.id, str(shown["ts"]), "approval_approve")
    assert answer.ok


@pytest.mark.parametrize("socket_mode", [False, True], ids=["http", "socket"])
async def test_a_mention_a_card_a_click_a_refund_a_reply(tmp_path: Path, *, socket_mode: bool) -> None:
    async with an_agent(tmp_path, socket_mode=socket_mode) as agent:
        await agent.start()
        ts, shown = await ask(agent)
        assert agent.refunds() == []
        await approve(agent, shown)
        await until("the reply", lambda: replies(agent, ts))
        assert agent.refunds() == [("1042", 40.0)]
        assert len(replies(agent, ts)) == 1
        await until(
            "the card to settle",
            lambda: "approval_approve" not in str(agent.sandbox.slack.messages(cast.SUPPORT.id, ts)),
        )
        assert await agent.stop() == 0
        assert [line for line in agent.log if line["level"] in {"error", "critical"}] == []


async def test_who_became_a_guest_after_the_card_was_shown_is_refused_and_told_why(tmp_path: Path) -> None:
    async with an_agent(tmp_path) as agent:
        await agent.start()
        ts, shown = await ask(agent)
        users = agent.sandbox.slack.workspace.directory.users
        member = users[cast.DANA.slack]
        users[member.id] = replace(member, is_restricted=True)
        await approve(agent, shown)
        told = await until("the refusal", lambda: agent.sandbox.slack.ephemerals(member.id, cast.SUPPORT.id))
        assert "Guests of this Slack workspace cannot decide." in str(told)
        users[member.id] = member
        await approve(agent, shown)
        await until("the reply", lambda: replies(agent, ts))
        assert agent.refunds() == [("1042", 40.0)]


async def test_a_process_killed_between_card_and_click_is_taken_over_by_a_new_one(tmp_path: Path) -> None:
    async with an_agent(tmp_path) as agent:
        await agent.start()
        ts, shown = await ask(agent)
        await agent.kill()
        await agent.start()
        await approve(agent, shown)
        await until("the reply", lambda: replies(agent, ts))
        assert agent.refunds() == [("1042", 40.0)]
        assert len(replies(agent, ts)) == 1


@pytest.mark.postgres
async def test_web_and_worker_are_processes_of_their_own_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    async with an_agent(tmp_path, database=postgres_url) as web:
        migrated = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "admin", "migrate", cwd=tmp_path, env=environment.child(web.told)
        )
        assert await migrated.wait() == 0
        await web.start("--role", "web")
        worker = RunningAgent(web.sandbox, tmp_path, postgres_url)
        worker_started = asyncio.create_task(worker.start("--role", "worker"))
        await asyncio.wait([worker_started])
        try:
            assert (await web.sandbox.slack.open_home(cast.DANA.slack)).ok
            ts, shown = await ask(web)
            await until("it to wait on the tab that the web process was told of", lambda: "for you: 1" in home(web))
            await approve(web, shown)
            await until("the reply", lambda: replies(web, ts))
            await until("it to be gone from the tab", lambda: "Nothing waits for you" in home(web))
            assert web.refunds() == [("1042", 40.0)]
            assert web.events("tool.started") == []
            assert await worker.stop() == 0
        finally:
            await worker.kill()


async def test_the_headless_demo_plays_both_stories() -> None:
    demo = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        "demo",
        "--headless",
        cwd=ROOT,
        env=environment.child({}),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await demo.communicate()
    assert demo.returncode == 0, out.decode()
    assert "exactly once" in out.decode()


async def test_two_refunds_of_one_answer_are_one_card_and_one_click(tmp_path: Path) -> None:
    async with an_agent(tmp_path) as agent:
        await agent.start()
        text = "please refund orders 1042 and 1043, both arrived damaged"
        said = await agent.sandbox.slack.say(cast.ADA.slack, cast.SUPPORT.id, text, mention=True)

        def plan() -> Message | None:
            found = [each for each in agent.sandbox.slack.messages(cast.SUPPORT.id, said.ts) if "2 calls" in str(each)]
            return found[0] if found else None

        shown = await until("the plan", plan)
        assert isinstance(shown, dict)
        answer = await agent.sandbox.slack.click(cast.DANA.slack, cast.SUPPORT.id, str(shown["ts"]), "plan_approve")
        assert answer.ok
        await until("both refunds", lambda: len(agent.refunds()) == 2)
        assert sorted(agent.refunds()) == [("1042", 40.0), ("1043", 189.5)]
        await until(
            "the reply", lambda: "All 2 approved" in str(agent.sandbox.slack.messages(cast.SUPPORT.id, said.ts))
        )
