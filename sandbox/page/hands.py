"""What can be done from the page: each name is one gesture of a person in Slack or at their mail.

A gesture that the world does not allow (no such button, somebody else's window) raises `Impossible`; one that the agent
did not take in good order says so in its answer, under `trouble`.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from sandbox.mail import MailStandIn, NoSuchMailbox
from sandbox.page.shown import Json, mentions_made
from sandbox.slack.desk import Said
from sandbox.slack.post import Answer
from sandbox.slack.refused import NotPossible
from sandbox.slack.standin import SlackStandIn


class Impossible(Exception):
    """Nobody could do this."""


class Hands:
    """All gestures, by name."""

    def __init__(self, slack: SlackStandIn, mail: MailStandIn) -> None:
        self._slack = slack
        self._mail = mail

    async def do(self, name: str, given: Json) -> Json:
        """Do it; raises Impossible, also for a name or an argument that is not known."""
        gesture = GESTURES.get(name)
        if gesture is None:
            raise Impossible(f"there is no gesture {name}")
        try:
            return await gesture(self, **given)
        except NotPossible as no:
            raise Impossible(str(no)) from no
        except NoSuchMailbox as no:
            raise Impossible(f"no mailbox: {no}") from no
        except (TypeError, KeyError) as wrong:
            raise Impossible(f"{name} cannot be done with this: {wrong}") from wrong

    async def say(self, user: str, channel: str, text: str, thread_ts: str | None = None) -> Json:
        """Write in a channel or a thread."""
        return _told(await self._slack.say(user, channel, mentions_made(text), thread_ts=thread_ts))

    async def dm(self, user: str, text: str, thread_ts: str | None = None) -> Json:
        """Write to the agent directly."""
        return _told(await self._slack.dm(user, text, thread_ts=thread_ts))

    async def click(self, user: str, channel: str, ts: str, action_id: str, value: str | None = None) -> Json:
        """Use a button or a menu of a message."""
        return _told(await self._slack.click(user, channel, ts, action_id, value))

    async def open_home(self, user: str) -> Json:
        """Open the app's Home tab."""
        return _told(await self._slack.open_home(user))

    async def click_view(self, user: str, view_id: str, action_id: str, value: str | None = None) -> Json:
        """Use a button or a menu of a window."""
        return _told(await self._slack.click_view(user, view_id, action_id, value))

    async def submit(self, user: str, view_id: str, values: dict[str, Any]) -> Json:
        """Submit a window."""
        return _told(await self._slack.submit(user, view_id, values))

    async def close_view(self, user: str, view_id: str) -> Json:
        """Close a window."""
        answer = await self._slack.close(user, view_id)
        return _told(answer) if answer else {}

    async def mail_send(self, sender: str, to: list[str], subject: str, text: str) -> Json:
        """Write a mail."""
        return {"id": self._mail.send(sender, to, subject, text).id}

    async def mail_reply(self, mailbox: str, letter: str, text: str) -> Json:
        """Answer one."""
        return {"id": self._mail.reply(mailbox, letter, text).id}


GESTURES: Final[dict[str, Callable[..., Awaitable[Json]]]] = {
    gesture.__name__: gesture
    for gesture in (
        Hands.say,
        Hands.dm,
        Hands.click,
        Hands.open_home,
        Hands.click_view,
        Hands.submit,
        Hands.close_view,
        Hands.mail_send,
        Hands.mail_reply,
    )
}


def _told(answer: Answer | Said) -> Json:
    answers = answer.answers if isinstance(answer, Said) else (answer,)
    for one in answers:
        if not one.ok:
            why = f"it answered {one.status}" if one.status else one.failure or "nothing came back"
            return {"trouble": f"The agent did not take this: {why}."}
    return {"ts": answer.ts} if isinstance(answer, Said) else {}
