"""A person's hands on everything but the composer: buttons, modals, Home tab, shortcuts, commands, stop button."""

from collections.abc import Mapping
from typing import Any

from sandbox.slack import events
from sandbox.slack.desk import Desk
from sandbox.slack.form import filled, state_of
from sandbox.slack.messages import Message, element_in
from sandbox.slack.methods.streams import end_by_user
from sandbox.slack.post import Answer, Parcel
from sandbox.slack.refused import Json, NotPossible, Refused
from sandbox.slack.tickets import ResponseUrl
from sandbox.slack.views import View
from sandbox.slack.workspace import Session

_TROUBLE = "We had some trouble connecting. Try again?"


class Gestures(Desk):
    """Clicks and forms. `NotPossible` is raised for what Slack's client would not let this person do."""

    async def click(self, user: str, channel: str, message_ts: str, action_id: str, value: str | None = None) -> Answer:
        """Use an element of a message: press a button, or choose `value` in a menu."""
        return await self._click(user, self.seen(user, channel, message_ts), action_id, value)

    async def click_stale(
        self, user: str, channel: str, message_ts: str, action_id: str, value: str | None = None
    ) -> Answer:
        """Press a button that is gone by now, on a screen that has not caught up."""
        for version in reversed(self.workspace.messages.versions(channel, message_ts)):
            if element_in(version.blocks, action_id, value) is not None:
                return await self._click(user, version, action_id, value)
        raise NotPossible(f"there never was a button {action_id} in {message_ts}")

    async def click_view(self, user: str, view_id: str, action_id: str, value: str | None = None) -> Answer:
        """Use an element of an open modal or of the Home tab."""
        view = self._view(user, view_id)
        found = element_in(view.content["blocks"], action_id, value)
        if found is None:
            raise NotPossible(f"there is no {action_id} in {view_id}")
        payload = self._in_view(user, view) | {
            "type": "block_actions",
            "container": {"type": "view", "view_id": view.id},
            "actions": [self._action(*found, value)],
        }
        return await self.send_interaction(payload)

    def open_views(self, user: str) -> list[Json]:
        """This person's open modals, the visible one last: the view object plus `errors`."""
        return [self._shown(view) for view in self.workspace.views.open_of(user)]

    async def submit(self, user: str, view_id: str, values: Mapping[str, Any] | None = None) -> Answer:
        """Fill in and submit the visible modal; the bot's answer closes, changes or marks it."""
        view = self._view(user, view_id)
        state = filled(view.content["blocks"], values or {})
        payload = self._in_view(user, view, state) | {"type": "view_submission", "response_urls": []}
        answer = await self.send_interaction(payload)
        self._respond(view, answer)
        self.workspace.feed.tell("view", user=user, view_id=view_id)
        return answer

    async def close(self, user: str, view_id: str) -> Answer | None:
        """Close a modal; the bot hears of it only when the view asked for that."""
        view = self._view(user, view_id)
        self.workspace.views.close(view)
        self.workspace.feed.tell("view", user=user, view_id=view_id)
        if not view.content.get("notify_on_close", False):
            return None
        payload = self._in_view(user, view) | {"type": "view_closed", "is_cleared": False}
        return await self.send_interaction(payload)

    async def open_home(self, user: str, tab: str = "home") -> Answer:
        """Open the app's Home or Messages tab."""
        self.person(user)
        install = self.installation()
        channel = self.workspace.open_im(user, install)
        event = events.home_opened(user, channel.id, tab, self.workspace.messages.next_ts())
        home = self.workspace.views.home_of(user)
        if tab == "home" and home is not None:
            event["view"] = self._shown(home)
        return await self.post.deliver(self.event_parcel(event, install))

    async def stop_session(self, user: str, channel: str, thread_ts: str) -> Answer:
        """Press the stop button, which is there while a session is processing."""
        place = self.place(user, channel)
        session = self.workspace.sessions.get((channel, thread_ts), Session("closed"))
        if session.status != "processing" or "agent_session_stopped" not in self.workspace.app.subscriptions:
            raise NotPossible("there is no stop button")
        end_by_user(self.workspace, channel, thread_ts)
        event = events.session_stopped(user, channel, thread_ts, self.workspace.messages.next_ts())
        return await self.post.deliver(self.event_parcel(event, self.install_for(place)))

    async def shortcut(self, user: str, callback_id: str) -> Answer:
        """A global shortcut."""
        install = self.installation()
        trigger = self.workspace.tickets.trigger(user, install.team_id)
        payload = {"type": "shortcut", "callback_id": callback_id, "trigger_id": trigger, "action_ts": self._ts()}
        return await self.send_interaction(self.actor(user, install.team_id) | payload)

    async def message_shortcut(self, user: str, channel: str, ts: str, callback_id: str) -> Answer:
        """A shortcut on a message."""
        message = self.seen(user, channel, ts)
        payload = self._on_message(user, message) | {"type": "message_action", "callback_id": callback_id}
        return await self.send_interaction(payload | {"message_ts": ts, "message": message.as_json()})

    async def slash(self, user: str, channel: str, command: str, text: str = "") -> Answer:
        """A slash command. A 200 with words is shown to the person alone."""
        place, person = self.place(user, channel), self.person(user)
        install = self.install_for(place)
        fields = {
            "token": "verification-token-not-used",
            "team_id": install.team_id,
            "team_domain": self.workspace.directory.teams[install.team_id].domain,
            "channel_id": channel,
            "channel_name": place.name or "directmessage",
            "user_id": user,
            "user_name": person.name,
            "command": command,
            "text": text,
            "api_app_id": self.workspace.app.id,
            "is_enterprise_install": "false",
            "response_url": self._response_url(ResponseUrl(channel, user, install.team_id, self.workspace.clock())),
            "trigger_id": self.workspace.tickets.trigger(user, install.team_id),
        }
        answer = await self.post.deliver(Parcel("slash_commands", fields, command))
        words = answer.json().get("text", "") or ("" if answer.body.startswith("{") else answer.body)
        if answer.ok and words:
            self.workspace.show(Message(self._ts(), channel, install.bot_user, words, seen_by=user))
        return answer

    async def _click(self, user: str, message: Message, action_id: str, value: str | None) -> Answer:
        self.place(user, message.channel)
        found = element_in(message.blocks, action_id, value)
        if found is None:
            raise NotPossible(f"there is no {action_id} in {message.ts}")
        block, element = found
        if user not in element.get("visible_to_user_ids", [user]):
            raise NotPossible(f"{user} does not see {action_id}")
        payload = self._on_message(user, message) | {
            "type": "block_actions",
            "container": events.container(message),
            "state": {"values": {}},
            "actions": [self._action(block, element, value)],
        }
        if not message.seen_by:  # a click on an ephemeral message carries no message, as recorded at Slack
            payload["message"] = message.as_json()
        return await self.send_interaction(payload)

    def _on_message(self, user: str, message: Message) -> Json:
        channel = self.workspace.directory.channels[message.channel]
        install = self.install_for(channel)
        url = ResponseUrl(channel.id, user, install.team_id, self.workspace.clock(), message.ts, message.thread_ts)
        return self.actor(user, install.team_id) | {
            "channel": {"id": channel.id, "name": channel.name or "directmessage"},
            "trigger_id": self.workspace.tickets.trigger(user, install.team_id),
            "response_url": self._response_url(url),
        }

    def _in_view(self, user: str, view: View, state: Json | None = None) -> Json:
        trigger = self.workspace.tickets.trigger(user, view.team_id)
        return self.actor(user, view.team_id) | {"trigger_id": trigger, "view": self._shown(view, state)}

    def _action(self, block: Json, element: Json, value: str | None) -> Json:
        kept = {
            key: element[key] for key in ("type", "action_id", "text", "value", "style", "confirm") if key in element
        }
        action = kept | {"block_id": block["block_id"], "action_ts": self._ts()}
        if element["type"] in {"button", "icon_button", "workflow_button", "feedback_buttons"}:
            return action if value is None else action | {"value": value}
        return action | state_of({"initial_option": None, **element}, value)

    def _respond(self, view: View, answer: Answer) -> None:
        """Do what the answer to a submission says. What Slack cannot follow, it shows as trouble."""
        views, body = self.workspace.views, answer.json()
        try:
            match body.get("response_action", "close") if answer.ok else "trouble":
                case "close":
                    views.close(view)
                case "clear":
                    views.clear(view.user)
                case "update":
                    views.update(view, body["view"])
                case "push":
                    views.push(view.user, view.team_id, body["view"])
                case "errors" if body["errors"]:
                    views.mark(view, body["errors"])
                case _:
                    views.mark(view, {"": _TROUBLE})
        except (Refused, KeyError) as problem:
            self.workspace.warn("bad_view_response", problem=str(problem))
            views.mark(view, {"": _TROUBLE})

    def _view(self, user: str, view_id: str) -> View:
        self.person(user)
        home = self.workspace.views.home_of(user)
        for view in [*self.workspace.views.open_of(user)[-1:], *([home] if home else [])]:
            if view.id == view_id:
                return view
        raise NotPossible(f"{user} does not see a view {view_id}")

    def _shown(self, view: View, state: Json | None = None) -> Json:
        install = self.installation(view.team_id)
        shown = view.as_json(self.workspace.app.id, install.bot_id, state)
        return shown | ({"errors": view.errors} if view.errors else {})

    def _response_url(self, url: ResponseUrl) -> str:
        return f"{self.workspace.base_url}/response/{self.workspace.tickets.response_url(url)}"
