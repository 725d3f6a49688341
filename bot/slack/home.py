"""The Home tab: what waits for its owner, what they decided, what they allowed, and how Twokey is used. Pure.

The rules are those of `blocks`. Everything is acted on through the gate, so what is shown gives nobody a right.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from agent.conversation import JsonObject
from approvals.card import Card
from bot.slack.buttons import GRANT, INBOX, INBOX_BLOCK, MINE, OPEN, REVOKE, block_id, button, confirm
from bot.slack.plans import status_of
from bot.slack.rich import bold, context, date, expires, header, italic, plain, rich, section, words
from bot.slack.said import asked_by
from bot.slack.text import LABEL_MOST, more_calls, one_line, titled

PENDING_MOST = 20
DECIDED_MOST = 10
GRANTS_MOST = 20
"""Of each kind, so that all stays well under the hundred blocks that a view may have."""
GRANT_MOST = 1_000
_STEPS = (
    ("Ask", "Mention me in a channel, or write to me in Messages. I answer in the thread."),
    (
        "Approve",
        "Before I do anything sensitive I show exactly what would happen, and wait for one of the right people.",
    ),
    ("Follow", "Answer in the thread at any time; I read what you write there. The stop button stops me."),
)


@dataclass(frozen=True, slots=True)
class Standing:
    """A grant of theirs that stands: its id, and what it lets run, in words."""

    grant_id: str
    told: str
    used: int = 0


@dataclass(frozen=True, slots=True)
class Lists:
    """What is a person's own."""

    pending: Sequence[Card] = ()
    more: int = 0
    """How many open approvals were not looked at."""
    decided: Sequence[Card] = ()
    grants: Sequence[Standing] = ()


def home_view(lists: Lists | None = None, *, has_inbox: bool = False) -> JsonObject:
    """The view to publish; without lists, for whoever is not in people.yaml, only how Twokey is used."""
    blocks: list[JsonObject] = []
    if lists is not None:
        blocks += [*_pending(lists, has_inbox=has_inbox), *_decided(lists), *_grants(lists), {"type": "divider"}]
    blocks.append(header("🔑 Twokey never turns a dangerous key alone"))
    blocks += [rich(section(bold(f"{title}. "), words(text))) for title, text in _STEPS]
    return {"type": "home", "blocks": list(blocks)}


def _pending(lists: Lists, *, has_inbox: bool) -> list[JsonObject]:
    shown = lists.pending[:PENDING_MOST]
    blocks = [header(f"Waiting for you: {len(lists.pending)}" if shown else "Nothing waits for you")]
    for card in shown:
        blocks += _waiting(card)
    rest = len(lists.pending) - len(shown) + lists.more
    blocks += [rich(section(italic(f"… and up to {rest} more.")))] if rest else []
    return [*blocks, _inbox_button()] if has_inbox else blocks


def _inbox_button() -> JsonObject:
    opens = button(INBOX, "Open the inbox…", MINE)
    return {"type": "actions", "block_id": f"{INBOX_BLOCK}{MINE}", "elements": [opens]}


def _waiting(card: Card) -> list[JsonObject]:
    title = titled(card.title, LABEL_MOST)
    calls = f" (and {more_calls(len(card.mates))})" if card.mates else ""
    head: JsonObject = {
        "type": "section",
        "block_id": block_id(card),
        "text": plain(title + calls),
        "accessory": button(OPEN, "Open", card.approval_id),
    }
    texts = asked_by(card)
    texts += [plain(f"Tool: {one_line(card.tool, 100)}")] if card.tool else []
    ends = min((each.expires_at for each in card.waiting), default=card.expires_at)
    return [head, context(*texts, expires(ends))]


def _decided(lists: Lists) -> list[JsonObject]:
    lines = [
        section(
            words(f"{titled(card.title, LABEL_MOST)} "),
            italic(status_of(card)),
            *([words(", "), date(card.decided_at)] if card.decided_at else []),
        )
        for card in lists.decided[:DECIDED_MOST]
    ]
    return [header("What you had a say in"), rich(*lines)] if lines else []


def _grants(lists: Lists) -> list[JsonObject]:
    shown = lists.grants[:GRANTS_MOST]
    rest = len(lists.grants) - len(shown)
    blocks = [header("What you allow")] if shown else []
    blocks += [_grant(each) for each in shown]
    return [*blocks, *([rich(section(italic(f"… and {rest} more: twokey grants list")))] if rest else [])]


def _grant(grant: Standing) -> JsonObject:
    used = f" Used {'once' if grant.used == 1 else f'{grant.used} times'}." if grant.used else ""
    sure = confirm("Take it back?", one_line(grant.told, 290), "Take back")
    revoke = button(REVOKE, "Revoke", grant.grant_id) | {"style": "danger", "confirm": sure}
    return {
        "type": "section",
        "block_id": f"{GRANT}{grant.grant_id}",
        "text": plain(one_line(grant.told, GRANT_MOST) + used),
        "accessory": revoke,
    }
