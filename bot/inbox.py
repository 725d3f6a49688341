"""The one door in: a delivery becomes an event on its thread, once, and the thread is woken.

The caller may acknowledge when `deliver` returns: by then it is committed.
"""

from dataclasses import dataclass

import structlog

from agent.conversation import ApiThread, AttachmentNote, Identity, MailHeaders, MailThread, SlackThread
from agent.errors import AlreadySeen
from agent.events import MessageReceived
from agent.ports import Clock, Ids
from store.threads import Threads

log = structlog.get_logger()

Conversation = SlackThread | MailThread | ApiThread


@dataclass(frozen=True, slots=True)
class Delivery:
    """Something that came in, with all that the provider calls it."""

    conversation: Conversation
    keys: tuple[str, ...]
    """Names of it; when any was seen before, it is dropped."""
    sender: Identity
    text: str
    starts: bool = True
    """Whether it may start a thread, or only continue one."""
    mail: MailHeaders | None = None
    attachments: tuple[AttachmentNote, ...] = ()
    is_outside: bool = False
    """Whether it holds words of somebody whom this deployment does not know: the channel says so."""


class Inbox:
    """Takes in deliveries and cancellations."""

    def __init__(self, threads: Threads, clock: Clock, ids: Ids, agent: str) -> None:
        self.threads = threads
        self.clock = clock
        self.ids = ids
        self.agent = agent

    async def deliver(self, delivery: Delivery) -> str | None:
        """Commit it. The thread's id, or None when it was dropped: a repeat, or nothing there to continue."""
        event = MessageReceived(
            at=self.clock.now(),
            delivery_id=self.ids.new("dlv"),
            sender=delivery.sender,
            text=delivery.text.replace("\x00", ""),
            mail=delivery.mail,
            attachments=delivery.attachments,
            is_outside=delivery.is_outside,
        )
        new_id = self.ids.new("thr") if delivery.starts else ""
        try:
            thread_id = await self.threads.take_in(
                delivery.conversation, event, keys=delivery.keys, new_id=new_id, agent=self.agent
            )
        except AlreadySeen:
            log.info("delivery.repeated", key=delivery.keys[0])
            return None
        if thread_id is None:
            log.debug("delivery.ignored", conversation=delivery.conversation.key)
            return None
        log.info(
            "delivery.received",
            thread_id=thread_id,
            delivery_id=event.delivery_id,
            channel=delivery.sender.channel,
            is_new=thread_id == new_id,
        )
        return thread_id

    async def cancel(self, conversation: Conversation, by: Identity, reason: str = "") -> bool:
        """Stop the work in this conversation. False when there is no thread."""
        thread_id = await self.threads.find(conversation.key)
        if thread_id is None:
            return False
        await self.cancel_thread(thread_id, by, reason)
        return True

    async def cancel_thread(self, thread_id: str, by: Identity, reason: str = "") -> None:
        """Stop the work on this thread."""
        await self.threads.cancel(thread_id, by, reason)
        log.info("thread.cancelled", thread_id=thread_id, by=by.key)
