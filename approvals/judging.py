"""What the policy says now of a call that people were asked about before, on its thread as it is."""

from collections.abc import Mapping
from dataclasses import dataclass

from agent.conversation import JsonObject
from agent.effects import Verdict
from agent.events import ApprovalRequested, ToolCall
from agent.state import ThreadState
from agent.thread import fold
from agent.tool import Tool
from approvals.policy import Policy
from approvals.ports import Log


@dataclass(frozen=True, slots=True)
class JudgedNow:
    """The call, the thread that it was judged on, and the verdict."""

    call: ToolCall
    state: ThreadState
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Judging:
    """Reads the thread, and has the policy judge."""

    threads: Log
    policy: Policy
    tools: Mapping[str, Tool]

    async def judge(self, thread_id: str, request: ApprovalRequested, arguments: JsonObject) -> JudgedNow:
        """The same call with these arguments. Raises KeyError for a tool that there is not."""
        tool = self.tools[request.tool]
        call = ToolCall(id=request.call_id, provider_id="", name=tool.name, arguments=arguments)
        place = await self.threads.conversation(thread_id)
        assert place is not None  # noqa: S101 - an approval's thread exists
        agent, _ = (await self.threads.owners([thread_id]))[thread_id]
        state = fold(ThreadState(thread_id, place, agent), await self.threads.entries(thread_id))
        return JudgedNow(call, state, self.policy.judge(call, tool, state))
