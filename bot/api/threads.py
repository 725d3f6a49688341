"""Threads over REST. Any person or service with a token may start threads, read every thread of this deployment, write
in it and stop it: whoever is to see less, gets no token."""

import base64
import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from fastapi import Request

from agent.conversation import ApiThread, MailThread, SlackThread
from agent.entries import Entry
from agent.events import MessageReceived
from agent.state import ThreadState
from agent.thread import fold
from approvals.gate import Gate
from approvals.people import Directory
from bot.api.answers import ThreadId, ThreadOut
from bot.api.bodies import NEW_MESSAGE, NEW_THREAD
from bot.api.caller import body, caller, idempotency_key
from bot.api.problem import Problem, not_found
from bot.api.reading import approval_out, thread_out
from bot.inbox import Delivery, Inbox
from store.approvals import ApprovalIndex
from store.threads import Threads

Conversation = SlackThread | MailThread | ApiThread

QUIET = timedelta(seconds=30)
"""How long a thread must have been at work without a fact before it is looked up whether it stalled."""


@dataclass(frozen=True, slots=True)
class ThreadEndpoints:
    """Launch, look, resume, stop."""

    gate: Gate
    index: ApprovalIndex
    threads: Threads
    inbox: Inbox
    directory: Directory
    agents: Collection[str]

    async def start(self, request: Request) -> ThreadId:
        """Give the agent work; the thread's id.

        With an `Idempotency-Key` the same request sent again starts nothing and gives the same id."""
        person = caller(request, self.directory)
        key = idempotency_key(request)
        new = await body(request, NEW_THREAD)
        agent = new.agent or self.inbox.agent
        if agent not in {self.inbox.agent, *self.agents}:
            message = f"There is no agent of that name; there are: {', '.join(sorted(self.agents)) or self.inbox.agent}"
            raise Problem(422, "invalid", message, {"agent": message})
        place = ApiThread(ref=_ref(person.id, key) if key else self.inbox.ids.new("api"))
        delivery = Delivery(place, (place.key,), person.identity("api"), new.text)
        inbox = Inbox(self.inbox.threads, self.inbox.clock, self.inbox.ids, agent)
        thread_id = await inbox.deliver(delivery) or await self._repeated(place, new.text)
        return ThreadId(id=thread_id)

    async def show(self, request: Request, thread_id: str) -> ThreadOut:
        """Where the thread stands, all its events, what the agent said, and the approvals that are open."""
        caller(request, self.directory)
        place, entries = await self._thread(thread_id)
        now = self.inbox.clock.now()
        waiting = []
        for approval_id in await self.index.listed(thread_id=thread_id):
            facts = await self.index.facts(approval_id)
            waiting += [approval_out(facts, self.gate, now)] if facts and facts.decided is None else []
        found = thread_out(thread_id, place, entries, waiting)
        if found.status == "working" and now - entries[-1].event.at > QUIET and await self._is_stalled(thread_id):
            return found.model_copy(update={"status": "stalled"})
        return found

    async def write(self, request: Request, thread_id: str) -> ThreadId:
        """Write in a thread, wherever it lives; the agent answers there. It is taken in when this returns.

        With an `Idempotency-Key` the same message sent again is dropped."""
        person = caller(request, self.directory)
        key = idempotency_key(request)
        message = await body(request, NEW_MESSAGE)
        place = await self._place(thread_id)
        name = _ref(person.id, key) if key else self.inbox.ids.new("msg")
        delivery = Delivery(place, (f"api:{thread_id}:{name}",), person.identity("api"), message.text, starts=False)
        await self.inbox.deliver(delivery)
        return ThreadId(id=thread_id)

    async def cancel(self, request: Request, thread_id: str) -> ThreadId:
        """Stop the work on a thread and cancel what waits for approval. Doing it twice does it once."""
        person = caller(request, self.directory)
        place, entries = await self._thread(thread_id)
        if not fold(ThreadState(thread_id, place), entries).cancelled:
            await self.inbox.cancel_thread(thread_id, person.identity("api"), f"Stopped by {person.name} over the API.")
        return ThreadId(id=thread_id)

    async def _place(self, thread_id: str) -> Conversation:
        place = await self.threads.conversation(thread_id) if is_id(thread_id) else None
        if place is None:
            raise not_found("thread")
        return place

    async def _thread(self, thread_id: str) -> tuple[Conversation, tuple[Entry, ...]]:
        return await self._place(thread_id), await self.threads.entries(thread_id)

    async def _repeated(self, place: ApiThread, text: str) -> str:
        """The thread that the same key started before. Raises Problem when it was for something else."""
        thread_id = await self.threads.find(place.key)
        entries = await self.threads.entries(thread_id or "")
        first = entries[0].event if entries else None
        if thread_id is None or not isinstance(first, MessageReceived) or first.text != text.replace("\x00", ""):
            raise Problem(422, "key_reused", "This Idempotency-Key was sent with another text before.")
        return thread_id

    async def _is_stalled(self, thread_id: str) -> bool:
        return await self.threads.status(thread_id) == "stalled"


def is_id(text: str) -> bool:
    """Whether it could be an id at all: databases refuse some characters."""
    return text.isascii() and text.replace("_", "").isalnum()


def _ref(person_id: str, key: str) -> str:
    """A name that only this person's use of this key leads to."""
    digest = hashlib.sha256(f"{person_id}\n{key}".encode()).digest()
    return f"key_{base64.b32encode(digest).decode().lower()[:32]}"
