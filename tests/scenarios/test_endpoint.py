"""HUMAN_APPROVAL_ENDPOINT of a real process that is killed while its receiver is down: nothing is lost."""

from pathlib import Path

from sandbox import cast
from tests.receiver import SECRET, a_receiver
from tests.running import an_agent, until


async def test_what_a_receiver_was_not_told_it_is_told_by_the_process_after_the_killed_one(tmp_path: Path) -> None:
    async with a_receiver() as receiver, an_agent(tmp_path) as agent:
        agent.told |= {"HUMAN_APPROVAL_ENDPOINT": receiver.url, "HUMAN_APPROVAL_ENDPOINT_SECRET": SECRET}
        receiver.manners += [503] * 2
        slack = agent.sandbox.slack
        await agent.start()
        await slack.say(cast.ADA.slack, cast.SUPPORT.id, "please refund order 1042", mention=True)
        await until("the first try", lambda: receiver.names, patience=40)
        await agent.kill()
        tried = len(receiver.names)
        await agent.start()
        await until("the request", lambda: receiver.told, patience=40)

    assert tried <= 2
    assert len(set(receiver.names)) == 1
    assert receiver.kinds == ["approval.requested"]
    assert (receiver.told[0]["tool"], receiver.told[0]["requester"]) == ("refund_order", "Ada Okafor")
    assert receiver.url not in str(agent.log)
    assert SECRET not in str(agent.log)
