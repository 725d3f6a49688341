"""The loop: fold, decide, perform, append, again (factors 8 and 12). It owns the control flow and nothing else.

Between two rounds nothing about a thread is only in memory that matters: a process killed anywhere is taken over by
any other, which folds the same events and decides the same.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import structlog

from agent import asking, calling, scoring
from agent.context import turns
from agent.effects import (
    AnswerRemark,
    CallModel,
    Escalate,
    RefuseCall,
    RequestApproval,
    RunTool,
    ScoreCalls,
    SendReply,
    Stop,
    TakeAnswer,
    Wait,
)
from agent.errors import ChannelRefused, ConfigError, ModelRefused, ModelUnavailable
from agent.events import (
    Event,
    ModelFailed,
    ModelResponded,
    ReplyFailed,
    ReplySent,
    ThreadClosed,
    ToolCall,
    ToolFailed,
    ToolReturned,
    ToolStarted,
)
from agent.journal import Journal
from agent.ports import Approvals, Claim, Clock, Ids, Model, ModelRequest, Outbox, Presence, Reply, Turn
from agent.reducer import decide
from agent.rounds import Agent
from agent.state import ThreadState
from agent.thread import fold
from agent.timing import due, retry_at
from agent.tool import ToolContext

log = structlog.get_logger()
T = TypeVar("T")


@dataclass(frozen=True)
class Loop:
    """Works on claimed threads, any number of them at once; all it holds is doors to the world."""

    agents: Mapping[str, Agent]
    model: Model
    approvals: Approvals
    outbox: Outbox
    clock: Clock
    ids: Ids

    async def run(self, claim: Claim, stopping: asyncio.Event, nudged: asyncio.Event) -> None:
        """Go on with the thread until there is nothing to do but wait, or until `stopping` is set."""
        empty = ThreadState(claim.thread_id, claim.conversation, claim.agent)
        journal = Journal(claim, fold(empty, await claim.load()))
        agent = self._agent(claim.agent)
        await journal.write(*due(journal.state, self.clock.now()))
        while not stopping.is_set():
            effect = decide(journal.state, agent.rules)
            log.debug("effect", effect=type(effect).__name__, seq=journal.state.seq)
            if not isinstance(effect, Wait):
                await Round(self, agent, journal, stopping, nudged).perform(effect)
            elif await journal.let_go(effect.until):
                await self._rest(journal)
                return
        await journal.write()
        await claim.hand_back()

    async def _rest(self, journal: Journal) -> None:
        """The sign that says whether people are waited for."""
        presence: Presence = "waiting" if journal.state.approvals else "idle"
        if presence != journal.presence:
            await self.outbox.show_presence(journal.state.conversation, presence)

    def _agent(self, name: str) -> Agent:
        if name not in self.agents:
            raise ConfigError(f"agents.yaml has no agent named {name}, but a thread of its is waiting; put it back")
        return self.agents[name]


Todo = (
    CallModel
    | ScoreCalls
    | RunTool
    | RefuseCall
    | RequestApproval
    | Escalate
    | AnswerRemark
    | TakeAnswer
    | SendReply
    | Stop
)


@dataclass(frozen=True)
class Round:
    """Performs one effect of one thread and takes down what came of it."""

    loop: Loop
    agent: Agent
    journal: Journal
    stopping: asyncio.Event
    nudged: asyncio.Event

    @property
    def state(self) -> ThreadState:
        """What is the case now."""
        return self.journal.state

    async def perform(self, effect: Todo) -> None:
        """Do it. Raises what the loop cannot mend here: ChannelDown, Fenced and the store's own."""
        match effect:
            case CallModel():
                await self._call_model()
            case RunTool():
                await self._run(effect)
            case ScoreCalls():
                await scoring.perform(self, effect)
            case RefuseCall(call, why, error):
                asked = self.state.calls[call.id].approval_id  # its card says that it did not run after all
                self.journal.note(ToolFailed(at=self.now, call_id=call.id, approval_id=asked, why=why, error=error))
            case RequestApproval() | Escalate() | AnswerRemark() | TakeAnswer():
                await asking.perform(self, effect)
            case SendReply(reply_id, text):
                await self._send(reply_id, text)
            case Stop(summary):
                self._finish(summary)

    @property
    def now(self) -> datetime:
        """The moment, for an event."""
        return self.loop.clock.now()

    async def _call_model(self) -> None:
        await self.journal.write()
        if not isinstance(decide(self.state, self.agent.rules), CallModel):
            return  # while that was written, somebody stopped the work
        showing = asyncio.ensure_future(self._show_working())
        seen = self.state.seq
        request = self.shown(turns(self.state))
        try:
            answer = await self.unless_cancelled(self.loop.model.respond(request))
        except (ModelUnavailable, ModelRefused) as error:
            again = retry_at(self.state, self.now) if isinstance(error, ModelUnavailable) else None
            log.warning("model.failed", error=str(error), retry_at=again and again.isoformat())
            self.journal.note(ModelFailed(at=self.now, error=str(error), retry_at=again))
            return
        finally:
            await showing
        if answer is None:
            return
        calls = tuple(call.model_copy(update={"id": self.loop.ids.new("call")}) for call in answer.calls)
        self.journal.note(
            ModelResponded(
                at=self.now,
                seen=seen,
                text=answer.text,
                calls=calls,
                stop=answer.stop,
                model=answer.model,
                api=answer.api,
                items=answer.items,
                usage=answer.usage,
                prompt=request.prompt,
            )
        )
        log.info("model.responded", calls=[call.name for call in calls], stop=answer.stop, **answer.usage.model_dump())

    def shown(self, what: tuple[Turn, ...], *, may_call: bool = True) -> ModelRequest:
        """What the model is shown."""
        text, stamp = self.agent.prompt.render(self.agent.variables)
        tools = tuple(self.agent.rules.tools.values())
        return ModelRequest(self.agent.model, text, stamp, what, tools, may_call)

    async def _show_working(self) -> None:
        if self.journal.presence != "working":
            self.journal.presence = "working"
            await self.loop.outbox.show_presence(self.state.conversation, "working")

    async def _run(self, effect: RunTool) -> None:
        """Reads may be repeated, so they are not announced; anything else is on record before it starts."""
        tools = self.agent.rules.tools
        writes = [
            (c, rule) for c, rule in zip(effect.calls, effect.rules, strict=True) if tools[c.name].effect != "read"
        ]
        if writes:
            now = self.now
            started: list[Event] = [
                ToolStarted(at=now, call_id=c.id, tool=c.name, digest=tools[c.name].digest(c.arguments), rule=rule)
                for c, rule in writes
            ]
            if not await self.journal.write(*started):
                return
            self.journal.claim.ensure_held()
            results = await self._all(effect)
            self.journal.note(*results)
            await self.journal.write()
            return
        if self.journal.has_proposals and not await self.journal.write():
            return  # a card is shown before anything else takes its time
        read = await self.unless_cancelled(self._all(effect))
        self.journal.note(*(read or ()))

    async def _all(self, effect: RunTool) -> list[ToolReturned | ToolFailed]:
        return await asyncio.gather(*(self._one(call) for call in effect.calls))

    async def _one(self, call: ToolCall) -> ToolReturned | ToolFailed:
        tool = self.agent.rules.tools[call.name]
        current = self.state.calls.get(call.id)
        context = ToolContext(
            thread_id=self.state.thread_id,
            call_id=call.id,
            idempotency_key=f"{self.state.thread_id}.{call.id}",
            requester=self.state.requester_of(call.id),
            approved_by=current.approved_by if current else "",
        )
        log.info("tool.started", tool=call.name, call_id=call.id)
        result = await calling.run(tool, call, context, self.loop.clock)
        log.info("tool.ended", tool=call.name, call_id=call.id, outcome=result.kind)
        return result.model_copy(update={"approval_id": current.approval_id}) if current else result

    async def _send(self, reply_id: str, text: str) -> None:
        await self.journal.write()
        if self.state.reply is None or self.state.reply.reply_id != reply_id:
            return
        caused_by = int(reply_id.removeprefix("r"))
        reply = Reply(
            self.state.thread_id,
            reply_id,
            text,
            self.state.latest_mail,
            fresh=caused_by > self.journal.found_seq,
            at=next((each.event.at for each in reversed(self.state.entries) if each.seq == caused_by), None),
        )
        self.journal.claim.ensure_held()
        try:
            receipts = await self.loop.outbox.send(self.state.conversation, reply)
        except ChannelRefused as error:
            log.warning("reply.failed", reply_id=reply_id, error=str(error))
            self.journal.note(ReplyFailed(at=self.now, reply_id=reply_id, error=str(error)))
        else:
            log.info("reply.sent", reply_id=reply_id, parts=len(receipts))
            self.journal.note(ReplySent(at=self.now, reply_id=reply_id, receipts=receipts))

    def _finish(self, summary: str) -> None:
        now = self.now
        call_id = next(key for key, call in self.state.calls.items() if call.status != "settled")
        self.journal.note(
            ToolReturned(at=now, call_id=call_id, result="finished"), ThreadClosed(at=now, summary=summary)
        )

    async def unless_cancelled(self, work: Coroutine[object, object, T], moot: Callable[[], bool] = bool) -> T | None:
        """The result of work that may be dropped; None when it is: the thread is cancelled, we stop, or it is moot."""
        task, stopped_seq = asyncio.ensure_future(work), self.state.stopped_seq
        try:
            while not task.done():
                nudge = asyncio.ensure_future(self.nudged.wait())
                try:
                    await asyncio.wait({task, nudge}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    nudge.cancel()
                if self.stopping.is_set() and not task.done():
                    return None
                if not task.done():
                    self.nudged.clear()
                    await self.journal.catch_up()
                    if self.state.stopped_seq != stopped_seq or moot():
                        return None
            return task.result()
        finally:
            task.cancel()
