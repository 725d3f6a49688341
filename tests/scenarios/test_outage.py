"""An outage of ours, for real: the process is gone until Slack has given up, and nothing is lost or answered twice."""

from pathlib import Path

import pytest

from sandbox import cast
from sandbox.slack import post
from tests.running import an_agent, until

SUPPORT = cast.SUPPORT.id
ADA, DANA = cast.ADA.slack, cast.DANA.slack


async def test_what_slack_gave_up_on_is_answered_once_after_the_outage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post, "RETRY_DELAYS", (0.0, 0.1, 0.2))
    async with an_agent(tmp_path) as agent:
        slack = agent.sandbox.slack
        await agent.start()
        first = await slack.say(ADA, SUPPORT, "where is order 1042?", mention=True)

        def answers(channel: str, root: str) -> list[str]:
            found = slack.messages(channel, root)
            return [str(each["ts"]) for each in found if each["user"] == cast.BOT_USER]

        await until("the first answer", lambda: answers(SUPPORT, first.ts))
        await agent.kill()
        missed = [await slack.say(ADA, SUPPORT, f"where is order {order}?", mention=True) for order in (1042, 1043)]
        direct = await slack.dm(DANA, "where is order 1042?")
        follow_up = await slack.say(ADA, SUPPORT, "and order 1043?", thread_ts=first.ts)
        await slack.settled()
        assert not follow_up.ok
        await agent.start()
        places = [(SUPPORT, each.ts) for each in missed] + [(direct.channel, direct.ts)]
        await until("the answers", lambda: all(answers(*place) for place in places), patience=40)
        await until("the second answer", lambda: len(answers(SUPPORT, first.ts)) == 2, patience=40)
        await until("the end", lambda: agent.events("slack.caught_up"), patience=40)
        await agent.kill()
        await agent.start()
        await until("the next end", lambda: len(agent.events("slack.caught_up")) == 3, patience=40)
        assert [len(answers(*place)) for place in places] == [1, 1, 1]
        assert len(answers(SUPPORT, first.ts)) == 2
        received = [line["thread_id"] for line in agent.events("delivery.received")]
        assert len(received) == 5
