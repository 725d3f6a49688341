"""Two stories played by people's hands, headless: a refund asked for in Slack, and one asked for by mail.

Every wait has a limit, and when it runs out the error shows what was seen instead. At the end each effect must have
happened exactly once: each refund, each reply.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from sandbox import cast
from sandbox.clock import now
from sandbox.mail import Letter, MailStandIn
from sandbox.slack.blocks import interactive
from sandbox.slack.standin import SlackStandIn

Refunds = Callable[[], Sequence[tuple[str, float]]]
"""What the orders table says was refunded: order and amount, one for each refund."""

T = TypeVar("T")
_PAUSE: Final = 0.02
_DATE: Final = re.compile(r"<!date\^[^|>]*\|([^>]*)>")
"""Slack's date token; everybody reads its fallback here."""
_QUIET: Final = 0.6
"""How long nothing more may happen before a story counts as over."""
_IN_SLACK: Final = ("1042", 40.0)
_BY_MAIL: Final = ("1043", 189.5)


class ScenarioFailed(AssertionError):
    """Something did not happen, or happened more than once. The message shows what was seen."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened: when, where, who, what."""

    at: float
    where: str
    who: str
    what: str

    def __str__(self) -> str:
        text = f"{self.at:6.2f} s  {self.where:<9} {self.who:<8} "
        return text + f"\n{' ' * len(text)}".join(self.what.splitlines() or [""])


@dataclass
class Transcript:
    """What happened, in order. `str` of it is for people."""

    began: float
    lines: list[Line] = field(default_factory=list)
    told: Callable[[str], None] = lambda _line: None

    def add(self, where: str, who: str, what: str) -> None:
        """Note one thing."""
        line = Line(now() - self.began, where, who, what)
        self.lines.append(line)
        self.told(str(line))

    def __str__(self) -> str:
        return "\n".join(str(line) for line in self.lines)


@dataclass(frozen=True, slots=True)
class Stage:
    """Who plays, and how long one may wait for the other."""

    slack: SlackStandIn
    mail: MailStandIn
    refunds: Refunds
    transcript: Transcript
    limit: float

    async def until(self, what: str, found: Callable[[], T | None]) -> T:
        """The first thing that is found; ScenarioFailed with what was seen when the time is up."""
        end = now() + self.limit
        while (thing := found()) is None:
            if now() > end:
                raise ScenarioFailed(f"waited {self.limit:g} s for {what}, in vain.\n{self.seen()}")
            await asyncio.sleep(_PAUSE)
        return thing

    async def only_once(self, what: str, counted: Callable[[], int]) -> None:
        """Let things come to rest, and see that it happened exactly once."""
        await asyncio.sleep(_QUIET)
        if counted() != 1:
            raise ScenarioFailed(f"{what} happened {counted()} times, not once.\n{self.seen()}")

    def seen(self) -> str:
        """Everything there is to see, for an error."""
        messages = [f"  {m.get('user', '?')}: {words_of(m)[:200]!r}" for m in self.slack.messages(cast.SUPPORT.id)]
        letters = [f"  {box}: {letter.subject} [{letter.folder}]" for box, letter in self._letters()]
        events = [f"  {a.parcel.name}: {a.answer.status} {a.answer.failure}".rstrip() for a in self.slack.attempts()]
        events += [f"  mail from {d.sender}: {d.status} after {d.attempts}" for d in self.mail.deliveries()]
        calls = [f"  {c.method}: {c.answer}"[:200] for c in self.slack.calls() if not c.answer.get("ok", False)]
        parts = {
            "In #support": messages,
            "Mail": letters,
            "Delivered to the agent": events,
            "Refused Web API calls": calls,
            "Refunds": [f"  {refund}" for refund in self.refunds()],
            "So far": [f"  {line}" for line in self.transcript.lines],
        }
        return "\n".join(f"{title}:\n" + ("\n".join(rows) or "  nothing") for title, rows in parts.items())

    def _letters(self) -> list[tuple[str, Letter]]:
        return [(box, letter) for box in self.mail.addresses() for letter in self.mail.everything(box)]


async def run_scenario(
    slack: SlackStandIn,
    mail: MailStandIn,
    refunds: Refunds,
    *,
    limit: float = 20.0,
    told: Callable[[str], None] = lambda _line: None,
) -> Transcript:
    """Play both stories. `told` gets each line as it happens. Raises ScenarioFailed."""
    transcript = Transcript(now(), told=told)
    stage = Stage(slack, mail, refunds, transcript, limit)
    stories: tuple[Callable[[Stage], Awaitable[None]], ...] = (in_slack, by_mail)
    for story in stories:
        await story(stage)
    if sorted(refunds()) != [_IN_SLACK, _BY_MAIL]:
        raise ScenarioFailed(f"the refunds should be {[_IN_SLACK, _BY_MAIL]}.\n{stage.seen()}")
    transcript.add("orders", "-", "1042: 40.00, 1043: 189.50. Each refund, and each reply, exactly once.")
    return transcript


async def in_slack(stage: Stage) -> None:
    """Ada asks in the channel, cannot approve it herself, Dana can, and the answer comes in the thread."""
    slack, note = stage.slack, stage.transcript.add
    channel, text = cast.SUPPORT.id, "please refund order 1042, the lamp arrived broken"
    said = await slack.say(cast.ADA.slack, channel, text, mention=True)
    note("#support", "Ada", f"@{cast.BOT_NAME} {text}")
    if not said.ok:
        raise ScenarioFailed(f"the agent did not take the mention.\n{stage.seen()}")
    card = await stage.until("the approval card", lambda: _card(stage, said.ts))
    note("#support", cast.BOT_NAME, words_of(card))
    await slack.click(cast.ADA.slack, channel, card["ts"], **_approve(card))
    await stage.until("a word to Ada that she may not approve", lambda: slack.ephemerals(cast.ADA.slack) or None)
    note("#support", "Ada", "clicks Approve, and is told that she may not")
    if stage.refunds():
        raise ScenarioFailed(f"money moved without an approval.\n{stage.seen()}")
    await slack.click(cast.DANA.slack, channel, card["ts"], **_approve(card))
    note("#support", "Dana", "clicks Approve")
    settled = await stage.until("the card to be settled", lambda: _settled(stage, said.ts, card["ts"]))
    note("#support", cast.BOT_NAME, f"the card now says:\n{words_of(settled)}")
    reply = await stage.until("the reply in the thread", lambda: next(iter(_replies(stage, said.ts, card["ts"])), None))
    note("#support", cast.BOT_NAME, words_of(reply))
    await stage.only_once("the refund of order 1042", lambda: list(stage.refunds()).count(_IN_SLACK))
    await stage.only_once("the reply in the thread", lambda: len(_replies(stage, said.ts, card["ts"])))


async def by_mail(stage: Stage) -> None:
    """Sam writes, Dana is asked by mail and answers `approve`, and the answer comes to Sam by mail."""
    mail, note = stage.mail, stage.transcript.add
    text = "Hello,\n\nplease refund order 1043. The shelf arrived damaged.\n\nThank you!"
    mail.send(cast.SAM.email, cast.AGENT_ADDRESS, "Refund for order 1043", text)
    note("mail", "Sam", f"to {cast.AGENT_ADDRESS}: Refund for order 1043")
    asked = await stage.until("the approval mail to Dana", lambda: _asked(stage))
    note("mail", cast.BOT_NAME, f"to Dana: {asked.subject}")
    mail.reply(cast.DANA.email, asked, "approve")
    note("mail", "Dana", f"replies to {_reply_to(asked)}: approve")
    reply = await stage.until("the reply to Sam", lambda: next(iter(_answers(stage)), None))
    note("mail", cast.BOT_NAME, f"to Sam: {_own_words(reply)}")
    await stage.only_once("the refund of order 1043", lambda: list(stage.refunds()).count(_BY_MAIL))
    await stage.only_once("the reply to Sam", lambda: len(_answers(stage)))


def words_of(message: dict[str, Any]) -> str:
    """What a person reads in a message: a line for each part of a block, else its text."""
    parts = [part for block in message.get("blocks", []) for part in _parts(block)]
    lines = [_read("".join(_texts(part))) for part in parts] or [_read(str(message.get("text", "")))]
    return "\n".join(line for line in lines if line)


def _parts(block: dict[str, Any]) -> list[object]:
    """A rich text reads line by line; buttons and notes stand side by side."""
    if block["type"] == "rich_text":
        return list(block["elements"])
    if "elements" in block:
        return [[[part, {"text": " "}] for part in block["elements"]]]
    return [{"text": text} for text in _texts(block)]


def _read(text: str) -> str:
    return " ".join(_DATE.sub(r"\1", text).split())


def _texts(value: object) -> list[str]:
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    if not isinstance(value, dict):
        return []
    if value.get("type") == "button":
        return [f"[{value['text']['text']}]"]
    own = [value["text"]] if isinstance(value.get("text"), str) else []
    own += [value["fallback"]] if isinstance(value.get("fallback"), str) else []
    return own + [text for key, item in value.items() if key != "confirm" for text in _texts(item)]


def _approve_button(message: dict[str, Any]) -> dict[str, Any] | None:
    for element in interactive(message.get("blocks", [])):
        if element["type"] == "button" and element["text"]["text"] == "Approve":
            return element
    return None


def _approve(card: dict[str, Any]) -> dict[str, str]:
    button = _approve_button(card) or {}
    return {"action_id": button["action_id"], "value": button["value"]}


def _card(stage: Stage, root: str) -> dict[str, Any] | None:
    return next((m for m in stage.slack.messages(cast.SUPPORT.id, root) if _approve_button(m)), None)


def _settled(stage: Stage, root: str, ts: str) -> dict[str, Any] | None:
    thread = stage.slack.messages(cast.SUPPORT.id, root)
    return next((m for m in thread if m["ts"] == ts and not list(interactive(m.get("blocks", [])))), None)


def _replies(stage: Stage, root: str, card_ts: str) -> list[dict[str, Any]]:
    thread = stage.slack.messages(cast.SUPPORT.id, root)
    return [m for m in thread if m.get("bot_id") and m["ts"] > card_ts and "refunded" in words_of(m)]


def _asked(stage: Stage) -> Letter | None:
    box = stage.mail.mailbox(cast.DANA.email)
    return next((letter for letter in box if "1043" in letter.text and "+" in _reply_to(letter)), None)


def _reply_to(letter: Letter) -> str:
    return str(letter.message["Reply-To"] or "")


def _answers(stage: Stage) -> list[Letter]:
    return [letter for letter in stage.mail.mailbox(cast.SAM.email) if "refunded" in letter.text]


def _own_words(letter: Letter) -> str:
    """The text above what it quotes."""
    above = re.split(r"^(?:On .* wrote:|>|--|—)", letter.text, maxsplit=1, flags=re.MULTILINE)[0]
    return above.strip()
