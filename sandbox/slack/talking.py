"""A person's hands at the composer: say, edit, delete, share a file; and what other bots and link previews do."""

import asyncio
from dataclasses import replace
from typing import Literal

from sandbox.slack import events
from sandbox.slack.desk import Desk, Said
from sandbox.slack.directory import Channel, Installation
from sandbox.slack.messages import Message
from sandbox.slack.post import Answer
from sandbox.slack.refused import Json, NotPossible
from sandbox.slack.stored import stored
from sandbox.slack.tickets import Upload

MentionOrder = Literal["mention_first", "message_first", "together"]


class Talking(Desk):
    """Everything people write. A mention reaches the bot as two events, in `mention_order`."""

    mention_order: MentionOrder = "mention_first"

    async def say(
        self, user: str, channel: str, text: str, *, thread_ts: str | None = None, mention: bool = False
    ) -> Said:
        """Say something in a conversation, in a thread when given, to the bot by name when `mention`."""
        place = self.place(user, channel)
        if mention:
            text = f"<@{self.install_for(place).bot_user}> {text}"
        return await self._said(self._written(user, place, text, thread_ts), place)

    async def dm(self, user: str, text: str, *, thread_ts: str | None = None) -> Said:
        """Write to the bot directly."""
        place = self.workspace.open_im(self.person(user).id, self._home(user))
        return await self._said(self._written(user, place, text, thread_ts), place)

    async def broadcast(self, user: str, channel: str, text: str, thread_ts: str) -> Said:
        """Reply in a thread and also send it to the channel."""
        place = self.place(user, channel)
        message = replace(self._written(user, place, text, thread_ts), subtype="thread_broadcast")
        return await self._said(message, place)

    async def share_file(self, user: str, channel: str, name: str, content: bytes, *, text: str = "") -> Said:
        """Share a file, with or without words. A direct conversation is named by its id, see `im_of`."""
        place = self.place(user, channel)
        file = Upload(self.workspace.ids("F"), name, len(content), name, content, complete=True)
        self.workspace.tickets.files[file.id] = file
        message = self._written(user, place, text, None)
        shared = replace(message, subtype="file_share", files=(file.as_json(self.workspace.base_url, user),))
        return await self._said(shared, place)

    async def edit(self, user: str, channel: str, ts: str, text: str) -> Said:
        """Change an own message. An edited mention comes as `app_mention` again, as at Slack."""
        place, before = self.place(user, channel), self._own(user, channel, ts)
        now = self._changed(before, text=text, blocks=self._typed(text), edited=(user, self._ts()))
        told = [events.changed(now, before, place, self._ts())]
        if self._mentions(now, place):
            told.append(events.mentioned(now, place, self.person(user)))
        return Said(ts, channel, await self._deliver(told, place))

    async def delete(self, user: str, channel: str, ts: str) -> Said:
        """Delete an own message."""
        place, before = self.place(user, channel), self._own(user, channel, ts)
        self.workspace.messages.drop(before)
        self.workspace.feed.tell("message", channel=channel, ts=ts)
        return Said(ts, channel, await self._deliver([events.deleted(before, place, self._ts())], place))

    async def preview(self, channel: str, ts: str, title: str = "A page") -> Said:
        """Slack adds a link preview to a message: `message_changed` with the text untouched."""
        place = self.workspace.directory.channels[channel]
        before = self.workspace.messages.get(channel, ts)
        if before is None:
            raise NotPossible(f"no message {ts}")
        now = self._changed(before, attachments=({"title": title, "from_url": "https://example.com", "id": 1},))
        return Said(ts, channel, await self._deliver([events.changed(now, before, place, self._ts())], place))

    async def other_bot_says(self, channel: str, text: str, *, thread_ts: str = "", bot_id: str = "B0OTHER") -> Said:
        """Another app posts."""
        place = self.workspace.directory.channels[channel]
        message = Message(
            self._ts(), channel, "", text, thread_ts=thread_ts, subtype="bot_message", bot_id=bot_id, app_id="A0OTHER"
        )
        return await self._said(message, place)

    def im_of(self, user: str) -> str:
        """The id of this person's direct conversation with the bot."""
        return self.workspace.open_im(user, self._home(user)).id

    async def _said(self, message: Message, place: Channel) -> Said:
        self.workspace.show(message)
        author = self.workspace.directory.users.get(message.user)
        told = [events.said(message, place, author)]
        if author is not None and self._mentions(message, place):
            told.insert(0, events.mentioned(message, place, author))
        return Said(message.ts, place.id, await self._deliver(told, place))

    async def _deliver(self, told: list[Json], place: Channel) -> tuple[Answer, ...]:
        parcels = self.parcels(told, place)
        if self.mention_order == "message_first":
            parcels.sort(key=lambda parcel: parcel.name == "app_mention")
        if self.mention_order == "together":
            return tuple(await asyncio.gather(*(self.post.deliver(parcel) for parcel in parcels)))
        return tuple([await self.post.deliver(parcel) for parcel in parcels])

    def _written(self, user: str, place: Channel, text: str, thread_ts: str | None) -> Message:
        author = self.person(user)
        root = self.workspace.messages.get(place.id, thread_ts) if thread_ts else None
        if thread_ts and root is None:
            raise NotPossible(f"no thread {thread_ts}")
        return Message(
            self._ts(),
            place.id,
            user,
            text,
            self._typed(text),
            thread_ts or "",
            root.user if root else "",
            team=author.team_id,
            extra=(("client_msg_id", self.workspace.ids("msg-")),),
        )

    def _typed(self, text: str) -> tuple[Json, ...]:
        return stored([events.rich_text(text)], self.workspace.ids) if text else ()

    def _mentions(self, message: Message, place: Channel) -> bool:
        install = self.workspace.directory.installation_in(place)
        return place.kind != "im" and install is not None and f"<@{install.bot_user}>" in message.text

    def _own(self, user: str, channel: str, ts: str) -> Message:
        message = self.seen(user, channel, ts)
        if message.user != user:
            raise NotPossible(f"{ts} is not {user}'s message")
        return message

    def _changed(self, before: Message, **fields: object) -> Message:
        self.workspace.feed.tell("message", channel=before.channel, ts=before.ts)
        return self.workspace.messages.change(before, **fields)

    def _home(self, user: str) -> Installation:
        installations = self.workspace.directory.installations
        return installations.get(self.workspace.directory.users[user].team_id) or self.installation()
