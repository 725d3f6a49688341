"""The headless stories against the toy agent: they pass when all goes well, and say what they saw when it does not."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from sandbox.app import Ports, RealModel, Sandbox
from sandbox.scenario import ScenarioFailed, run_scenario
from sandbox.serving import serving
from tests.toybot import ToyBot


@asynccontextmanager
async def playing() -> AsyncIterator[tuple[Sandbox, ToyBot]]:
    async with Sandbox() as sandbox:
        bot = ToyBot(sandbox)
        async with serving(bot.app, sandbox.bot_port):
            yield sandbox, bot


async def test_both_stories_are_played_and_told() -> None:
    told: list[str] = []
    async with playing() as (sandbox, bot):
        transcript = await run_scenario(sandbox.slack, sandbox.mail, lambda: bot.refunds, told=told.append)
    assert str(transcript).splitlines() == "\n".join(told).splitlines()
    for words in (
        "Dana     clicks Approve",
        "Done: I refunded **40.00 EUR**",
        "replies to agent+a.toy",
        "exactly once",
    ):
        assert words in str(transcript)


async def test_a_reply_given_twice_is_noticed() -> None:
    async with playing() as (sandbox, bot):
        bot.answers = 2
        with pytest.raises(ScenarioFailed, match="the reply in the thread happened 2 times, not once"):
            await run_scenario(sandbox.slack, sandbox.mail, lambda: bot.refunds)


async def test_a_refund_made_twice_is_noticed() -> None:
    async with playing() as (sandbox, bot):
        with pytest.raises(ScenarioFailed, match="the refund of order 1042 happened 2 times"):
            await run_scenario(sandbox.slack, sandbox.mail, lambda: bot.refunds * 2)


async def test_a_wait_in_vain_shows_what_was_seen() -> None:
    async with playing() as (sandbox, bot):
        bot.card_ts = "gone"
        bot.app.routes.clear()
        await sandbox.slack.post.close()
        sandbox.slack.use_http(f"{sandbox.bot_url}/nowhere")
        with pytest.raises(ScenarioFailed, match="did not take the mention") as failed:
            await run_scenario(sandbox.slack, sandbox.mail, lambda: bot.refunds, limit=0.2)
    assert "app_mention: 404" in str(failed.value)
    assert "please refund order 1042" in str(failed.value)


async def test_the_settings_say_all_that_the_agent_needs_and_nothing_of_a_real_model() -> None:
    async with Sandbox() as sandbox:
        settings = sandbox.env()
        assert settings["OPENAI_MODEL"] == "sandbox-rules-1"
        assert settings["PUBLIC_URL"].endswith(settings["PORT"])
        assert "SLACK_APP_TOKEN" not in settings
    async with Sandbox(Ports(), real_model=RealModel("gpt-test"), socket_mode=True) as sandbox:
        settings = sandbox.env()
        assert not [name for name in settings if name.startswith("OPENAI_")]
        assert "SLACK_SIGNING_SECRET" not in settings
        assert settings["SLACK_APP_TOKEN"].startswith("xapp-")
