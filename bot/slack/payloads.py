"""What Slack tells, as our own values: events to deliveries. Pure. Bolt's dict ends here, and in `interactions`.

Who owns a message, so that each is taken in once however Slack tells of it:

- In a channel `app_mention` starts a thread; `message` only continues one, and only without a mention of us, for the
  mention comes as an event of its own. In a group DM `message` with a mention starts too, since Slack does not promise
  the other event there; the message's own name among the keys makes the two one.
- In a DM every message starts or continues. Its root is `thread_ts`, else its own `ts`: in the agent view each message
  outside a thread is the root of a new one.
- Only what a person wrote counts: no subtype, `file_share` or `thread_broadcast`. Edits, deletions, joins, previews,
  bots and we ourselves are passed over; so is a mention sent again because it was edited.
- Words that were forwarded along are outsiders' (they taint the thread), whoever passes them on.
- People of another organisation (Slack Connect) are passed over, as is everybody in a channel shared with one unless
  the channel is named in `shared_channels`. Guests may write: what they may approve is the policy's to say.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from agent.conversation import AttachmentNote, Identity, JsonObject, SlackThread
from bot.inbox import Delivery
from bot.slack.text import decoded, mentions

SPOKEN = frozenset({"", "file_share", "thread_broadcast"})
_NOT_READ = "The agent cannot open files from Slack yet; it knows only that it is there."
_SLACKBOT = "USLACKBOT"

SHARED = (
    "I do not work in channels that are shared with another organisation. Ask me in a channel of your own or in a DM."
)


@dataclass(frozen=True, slots=True)
class PassedOver:
    """An event that nothing comes of."""

    why: str
    tell: str = ""
    """What the person should be told, if anything; privately."""


def arrival(body: JsonObject, bot_user: str, shared_channels: Collection[str] = ()) -> Delivery | PassedOver:
    """What comes of an `app_mention` or `message` event."""
    event = an_object(body.get("event"))
    why = _unspoken(event, bot_user)
    if why:
        return PassedOver(why)
    is_mention = event.get("type") == "app_mention"
    kind = _kind(event)
    called = is_mention or mentions(text_at(event, "text"), bot_user)
    if kind == "channel" and called and not is_mention:
        return PassedOver("told as app_mention")
    if refusal := _stranger(body, event, shared_channels):
        return PassedOver(refusal, SHARED if called and refusal == "shared channel" else "")
    team, channel, ts = team_of(body), text_at(event, "channel"), text_at(event, "ts")
    if not (team and channel and ts):
        return PassedOver("incomplete")
    event_id = text_at(body, "event_id")
    return Delivery(
        conversation=SlackThread(team=team, channel=channel, thread_ts=text_at(event, "thread_ts") or ts),
        keys=(f"slack:message:{team}:{channel}:{ts}", *([f"slack:event:{event_id}"] if event_id else [])),
        sender=Identity(channel="slack", id=text_at(event, "user"), team=team),
        text=_words(event, bot_user),
        starts=kind == "im" or called,
        attachments=_files(event),
        is_outside=_is_outside(body, event),
    )


def team_of(body: JsonObject) -> str:
    """The workspace the app is installed in; the organisation, where it is installed for all of one."""
    team = body.get("team")
    named = text_at(team, "id") if isinstance(team, dict) else ""
    return text_at(body, "team_id") or named or text_at(body, "enterprise_id") or text_at(body.get("enterprise"), "id")


def _unspoken(event: JsonObject, bot_user: str) -> str:
    """Why this is nothing that a person said to somebody; empty when it is."""
    user = text_at(event, "user")
    if text_at(event, "subtype") not in SPOKEN:
        return "subtype"
    if event.get("edited") or event.get("hidden"):
        return "edited"
    if event.get("bot_id") or event.get("bot_profile") or user == _SLACKBOT:
        return "bot"
    if user == bot_user:
        return "own"
    return "" if user else "no author"


def _kind(event: JsonObject) -> Literal["im", "mpim", "channel"]:
    """Mentions do not say what kind of conversation they are in; ids of DMs begin with D."""
    match text_at(event, "channel_type"):
        case "im":
            return "im"
        case "mpim":
            return "mpim"
        case "":
            return "im" if text_at(event, "channel").startswith("D") else "channel"
        case _:
            return "channel"


def _stranger(body: JsonObject, event: JsonObject, shared_channels: Collection[str]) -> str:
    """Why the author is not one of ours; empty when they are. Unknown means no."""
    team = team_of(body)
    home = text_at(event, "user_team") or text_at(event, "source_team")
    ours = {team, text_at(body, "enterprise_id"), text_at(body, "context_enterprise_id")} - {""}
    if home and home not in ours:
        return "stranger"
    if body.get("is_ext_shared_channel") and text_at(event, "channel") not in shared_channels:
        return "shared channel"
    return ""


def _is_outside(body: JsonObject, event: JsonObject) -> bool:
    """Whether it holds words of somebody else, or of nobody knows whom in a channel shared with others. A workspace
    vouches for its own people, whether people.yaml lists them or not."""
    is_known = bool(text_at(event, "user_team") or text_at(event, "source_team"))
    return bool(_forwarded(event)) or (bool(body.get("is_ext_shared_channel")) and not is_known)


def _forwarded(event: JsonObject) -> list[JsonObject]:
    """The messages that were passed on along with it."""
    return [each for each in objects(event.get("attachments")) if each.get("is_share") or each.get("is_msg_unfurl")]


def _words(event: JsonObject, bot_user: str) -> str:
    """What was written, with the messages that were forwarded along with it as quotations."""
    texts = [decoded(text_at(event, "text"), bot_user)]
    for each in _forwarded(event):
        quoted = decoded(text_at(each, "text"), "")
        author = text_at(each, "author_name") or "somebody"
        texts.append(f"Forwarded from {author}:\n" + "\n".join(f"> {line}" for line in quoted.split("\n")))
    return "\n\n".join(text for text in texts if text)


def _files(event: JsonObject) -> tuple[AttachmentNote, ...]:
    return tuple(
        AttachmentNote(
            name=text_at(each, "name") or text_at(each, "title") or "file",
            media_type=text_at(each, "mimetype") or "application/octet-stream",
            size=size if isinstance(size := each.get("size"), int) else 0,
            note=_NOT_READ,
        )
        for each in objects(event.get("files"))
    )


# --- the stop button and the Home tab -------------------------------------------------------------------------------


def stopped(body: JsonObject) -> tuple[SlackThread, Identity] | None:
    """The conversation in which somebody pressed the stop button, and who (`agent_session_stopped`)."""
    event = an_object(body.get("event"))
    team, channel, thread_ts = team_of(body), text_at(event, "channel"), text_at(event, "thread_ts")
    if not (team and channel and thread_ts):
        return None
    who = Identity(channel="slack", id=text_at(event, "user"), team=team)
    return SlackThread(team=team, channel=channel, thread_ts=thread_ts), who


def home_opened_by(body: JsonObject) -> str:
    """The user who opened our Home tab; empty for the Messages tab."""
    event = an_object(body.get("event"))
    return text_at(event, "user") if event.get("tab") == "home" else ""


def an_object(value: JsonValue) -> JsonObject:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def objects(value: JsonValue) -> list[JsonObject]:
    """The objects of a list; none of anything else."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def text_at(value: JsonValue, key: str) -> str:
    """The text under that key; empty for anything else."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""
