"""The audit log of a real process that is killed again and again: no line is lost, in the file none is doubled."""

from pathlib import Path

from sandbox import cast
from store.connect import connect
from store.export import compare, facts
from store.facts import json_line
from store.verify import Verifier
from tests.builders import AT
from tests.running import an_agent, until


async def test_a_process_that_is_killed_loses_no_line_of_the_audit_log(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    async with an_agent(tmp_path) as agent:
        agent.told["AUDIT_LOG_PATH"] = str(path)
        slack = agent.sandbox.slack
        for order in (1042, 1043, 1042):
            await agent.start()
            root = await slack.say(cast.ADA.slack, cast.SUPPORT.id, f"where is order {order}?", mention=True)
            await until("an answer", lambda ts=root.ts: len(slack.messages(cast.SUPPORT.id, ts)) > 1)  # type: ignore[misc]  # a lambda with a default
            await agent.kill()
        await agent.start()
        database = connect(agent.told["DATABASE_URL"])
        expected = [json_line(each) async for each in facts(database)]
        await until("the last line", lambda: path.read_text().splitlines(keepends=True) == expected)
        assert len(expected) >= 9
        told = {(line["thread_id"], line["seq"]) for line in agent.events("audit.fact")}
        assert len(told) == len(expected)
        assert await agent.stop() == 0
        whole: list[object] = []
        assert (await Verifier(database).run(whole.append)).events > len(expected)
        assert (await compare(database, expected, whole.append, expired=AT)).lines == len(expected)
        assert whole == []
        await database.aclose()
