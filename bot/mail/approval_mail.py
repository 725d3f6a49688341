"""The mail that asks for an approval: what would happen, who asked and why, and one link to the page that decides; and
the one that says how it ended.

No link decides anything by itself, since link scanners follow them all. No line of the text is a decision word alone,
so that a quote of this mail cannot be taken for one. What a model or a stranger wrote is text and nothing else: no
markup, and what cannot be seen is spelt.
"""

import html
from collections.abc import Iterable
from dataclasses import replace

from approvals.card import Argument, Card, Vote
from approvals.visible import bracketed
from bot.mail.charset import clean
from bot.mail.message import Outgoing

MAX_VALUE = 2_000
MAX_ARGUMENTS = 50
MAX_PREVIEW = 6_000
MAX_CALLS = 20

# Colours that are readable on white and on black, since clients invert some and not others.
_BUTTON = (
    "display:inline-block;padding:14px 28px;border-radius:8px;background-color:#1f6feb;color:#ffffff;"
    "font-size:16px;font-weight:600;text-decoration:none"
)
_BOX = "border:1px solid #8c959f;border-radius:8px;padding:16px 20px;margin:16px 0"
_LABEL = "padding:4px 16px 4px 0;vertical-align:top;color:#768390;font-size:13px;white-space:nowrap"
_VALUE = "padding:4px 0;vertical-align:top;font-size:15px;word-break:break-word"
_CODE = "padding:4px 0;vertical-align:top;font-family:Menlo,Consolas,monospace;font-size:13px;word-break:break-word"
_ON_PAGE = "Nothing happens before you press a button on that page. Its address, to copy:"
_SMALL = "color:#768390;font-size:13px"
_BY_SOMEBODY = frozenset({"approved", "rejected", "answered"})

CHANGED = "What was approved before does not count."
ESCALATED = "Nobody had decided for a while, so more people were asked."

Rows = list[tuple[str, str]]


def approval_mail(card: Card, link: str, envelope: Outgoing, *, heading: str = "", inbox: str = "") -> Outgoing:
    """The envelope with the body of a mail that asks. Its Reply-To should be the address with the reply token; `link`
    is the page that shows everything and decides, `heading` says why it comes again, `inbox` is where the rest is."""
    if not link.startswith(("https://", "http://")):
        raise ValueError("the link of an approval must be http or https")
    title = f"{heading}{card.whole_title}"
    text, rich = _text(card, title, link, inbox), _html(card, title, link, inbox)
    return replace(envelope, markdown=text, html=rich, kind="auto-generated")


def settled_mail(card: Card, envelope: Outgoing) -> Outgoing:
    """The envelope with what was decided."""
    text = plain("\n\n".join(settled_text(each) for each in card.plan))
    return replace(envelope, markdown=text, html=f"<p>{_broken(text)}</p>", kind="auto-generated")


def settled_text(card: Card) -> str:
    """What was decided of one call, in a sentence or three."""
    if card.status not in _BY_SOMEBODY or card.is_rejected_by_time:
        why = "nobody decided in time" if card.status == "expired" else card.reason.rstrip(".")
        ended = f"{card.title}: {card.status}" + (f": {why}." if why else ".")
        return ended + (" It did not run." if card.about == "call" else "")
    text = f"{card.title}: {card.status} by {card.decided_by} ({card.decided_via})."
    changed = [f"- {each.name}: {each.value} (was {each.was})" for each in card.arguments if each.was]
    if changed:
        text += "\n\nWith these changes:\n\n" + "\n".join(changed)
    return text + (f"\n\nIn their words: {card.reason}" if card.reason else "")


def plain(text: str) -> str:
    """Text that shows all that is in it."""
    return clean(bracketed(text.replace("\r\n", "\n")))


# --- what is said of it ---------------------------------------------------------------------------------------------


def _facts(card: Card) -> Rows:
    """Who, why, and how far it is, a row each."""
    facts = [
        ("Asked by", card.requester),
        ("Why", card.why),
        ("Takes", card.needs),
        ("So far", "\n".join(map(_vote, card.votes))),
        ("Changed", f"{card.changed_by} changed the arguments. {CHANGED}" if card.changed_by else ""),
        ("Note", ESCALATED if card.is_escalated else ""),
        ("Expires", f"{card.expires_at:%d %B %Y, %H:%M} UTC"),
    ]
    return [(label, plain(value)) for label, value in facts if value]


def _vote(vote: Vote) -> str:
    return f"{vote.name} {vote.said} ({vote.via}), {vote.at:%d %B, %H:%M} UTC"


def _arguments(card: Card) -> Rows:
    """The arguments, long ones cut; what is cut is on the page, and the mail says so."""
    shown = [(plain(each.name), _value(each)) for each in card.arguments[:MAX_ARGUMENTS]]
    left = len(card.arguments) - MAX_ARGUMENTS
    return [*shown, ("…", f"{left} more arguments on the page")] if left > 0 else shown


def _value(argument: Argument) -> str:
    was = f" (was {_cut(argument.was, MAX_VALUE)})" if argument.was else ""
    return _cut(argument.value, MAX_VALUE) + was


def _remarks(calls: Iterable[Card]) -> Rows:
    return [
        (
            plain(each.name),
            f"{_cut(each.question, MAX_VALUE)}\nThe agent: {_cut(each.answer or '(no answer yet)', MAX_VALUE)}",
        )
        for call in calls
        for each in call.remarks
    ]


def _cut(value: str, limit: int) -> str:
    value = plain(value)
    return value if len(value) <= limit else f"{value[:limit]}… ({len(value) - limit} more characters on the page)"


def _calls(card: Card) -> tuple[tuple[Card, str], ...]:
    """Each call with its heading; none where there is only one."""
    if not card.mates:
        return ((card, ""),)
    count = len(card.plan)
    return tuple(
        (each, plain(f"Call {number} of {count}: {each.title}{_ended(each)}"))
        for number, each in enumerate(card.plan[:MAX_CALLS], start=1)
    )


def _ended(card: Card) -> str:
    return "" if card.is_open else f" ({card.status})"


def has_room_for(card: Card) -> bool:
    """Whether a mail shows all its calls and arguments, so that an answer can approve them."""
    return len(card.plan) <= MAX_CALLS and all(len(each.arguments) <= MAX_ARGUMENTS for each in card.plan)


def _left_out(card: Card) -> str:
    left = len(card.plan) - MAX_CALLS
    return f"{left} more call{'s' if left > 1 else ''} on the page" if left > 0 else ""


def instructions(card: Card) -> str:
    """How to decide by answering the mail."""
    if card.about == "question":
        return "Or answer this mail: what you write above the quoted text is taken as your answer."
    if card.choices:
        return f"Or answer this mail with one of these as its only line: {' · '.join(map(plain, card.choices))}."
    if not has_room_for(card):
        return (
            "Or answer this mail. Its first line decides: “reject” followed by your reason. There is more than a mail "
            "has room for, so approve it on the page."
        )
    what = f" for all {len(card.waiting)} calls, as shown here" if card.mates else ""
    return (
        f"Or answer this mail. Its first line decides{what}: the one word “approve”, or “reject” followed by your "
        "reason. Anything else is not taken as a decision."
    )


# --- text -----------------------------------------------------------------------------------------------------------


def _text(card: Card, title: str, link: str, inbox: str) -> str:
    width = 11
    parts = [
        plain(title),
        "\n".join(f"{label + ':':{width}}{_indented(value, width)}" for label, value in _facts(card)),
        *(part for call, heading in _calls(card) for part in _call_text(call, heading)),
        _left_out(card),
        *(f"{name} asked: {_indented(said, 2)}" for name, said in _remarks(card.plan)),
        f"Review and decide:\n{link}",
        instructions(card),
        f"All that waits for you:\n{inbox}" if inbox else "",
    ]
    return "\n\n".join(part for part in parts if part)


def _call_text(call: Card, heading: str) -> list[str]:
    return [
        heading,
        f"Tool:      {plain(call.tool)}" if call.tool else "",
        "\n".join(f"  {name}: {_indented(value, 6)}" for name, value in _arguments(call)),
        f"What would happen:\n\n{_cut(call.preview, MAX_PREVIEW)}" if call.preview else "",
    ]


def _indented(value: str, spaces: int) -> str:
    return value.replace("\n", "\n" + " " * spaces)


# --- HTML -----------------------------------------------------------------------------------------------------------


def _html(card: Card, title: str, link: str, inbox: str) -> str:
    remarks = _remarks(card.plan)
    parts = [
        f'<h1 style="font-size:20px;margin:0 0 8px">{_escaped(plain(title))}</h1>',
        _table(_facts(card), _VALUE),
        *(_call_html(call, heading) for call, heading in _calls(card)),
        f'<p style="{_SMALL}">{_left_out(card)}</p>' if _left_out(card) else "",
        f'<p style="{_SMALL};margin:16px 0 4px">Questions to the agent</p>{_table(remarks, _VALUE)}' if remarks else "",
        f'<p style="margin:24px 0"><a href="{_escaped(link)}" style="{_BUTTON}">Review and decide</a></p>',
        f'<p style="{_SMALL}">{_ON_PAGE}<br>{_escaped(link)}</p>',
        f'<p style="{_SMALL}">{_escaped(instructions(card))}</p>',
        f'<p style="{_SMALL}">All that waits for you: {_escaped(inbox)}</p>' if inbox else "",
    ]
    return f'<div style="max-width:640px">{"".join(parts)}</div>'


def _call_html(call: Card, heading: str) -> str:
    rows = _arguments(call)
    parts = [
        f'<h2 style="font-size:16px;margin:24px 0 8px">{_escaped(heading)}</h2>' if heading else "",
        f'<p style="{_SMALL};margin:16px 0 4px">Tool: {_escaped(plain(call.tool))}</p>' if call.tool else "",
        f'<div style="{_BOX};margin-top:0">{_table(rows, _CODE)}</div>' if rows else "",
        _preview(call.preview) if call.preview else "",
    ]
    return "".join(parts)


def _table(rows: Rows, style: str) -> str:
    cells = (
        f'<tr><td style="{_LABEL}">{_escaped(label)}</td><td style="{style}">{_broken(value)}</td></tr>'
        for label, value in rows
    )
    start = '<table role="presentation" cellpadding="0" cellspacing="0" style="border-collapse:collapse">'
    return f"{start}{''.join(cells)}</table>"


def _preview(preview: str) -> str:
    shown = _broken(_cut(preview, MAX_PREVIEW))
    return f'<p style="{_SMALL};margin:16px 0 4px">What would happen</p><div style="{_BOX};margin-top:0">{shown}</div>'


def _escaped(value: str) -> str:
    return html.escape(value)


def _broken(value: str) -> str:
    return _escaped(value).replace("\n", "<br>")
