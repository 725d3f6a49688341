"""The mail that asks for an approval: what would happen, who asked and why, and one link to the page that decides.

No link decides anything by itself, since link scanners follow them all. No line of the text is a decision word alone,
so that a quote of this mail cannot be taken for one.
"""

import html
from dataclasses import dataclass, replace

from bot.mail.charset import clean
from bot.mail.message import Outgoing

MAX_VALUE = 2_000
MAX_ARGUMENTS = 50
MAX_PREVIEW = 6_000

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


@dataclass(frozen=True, slots=True)
class ApprovalAsk:
    """What an approver must see. Plain text all of it; arguments in the order of the tool's parameters."""

    title: str
    why: str
    asked_by: str
    tool: str
    arguments: tuple[tuple[str, str], ...]
    link: str
    """The page that shows everything and decides; must be http or https."""
    preview: str = ""
    expires: str = ""
    instructions: str = ""
    """How to decide by answering this mail, where the policy allows it."""


def approval_mail(ask: ApprovalAsk, envelope: Outgoing) -> Outgoing:
    """The envelope with the body of an approval mail. Its Reply-To should be the address with the reply token."""
    if not ask.link.startswith(("https://", "http://")):
        raise ValueError("the link of an approval must be http or https")
    return replace(envelope, markdown=_text(ask), html=_html(ask), kind="auto-generated")


def _text(ask: ApprovalAsk) -> str:
    parts = [
        ask.title,
        f"Tool:      {ask.tool}\nAsked by:  {ask.asked_by}\nWhy:       {ask.why}" + _line("Expires:   ", ask.expires),
        "\n".join(f"  {name}: {_indented(value)}" for name, value in _arguments(ask)),
        f"What would happen:\n\n{_shown(ask.preview, MAX_PREVIEW)}" if ask.preview else "",
        f"Review and decide:\n{ask.link}",
        ask.instructions,
    ]
    return "\n\n".join(part for part in map(clean, parts) if part)


def _line(label: str, value: str) -> str:
    return f"\n{label}{value}" if value else ""


def _indented(value: str) -> str:
    return value.replace("\n", "\n      ")


def _html(ask: ApprovalAsk) -> str:
    facts = [("Tool", ask.tool), ("Asked by", ask.asked_by), ("Why", ask.why), ("Expires", ask.expires)]
    parts = [
        f'<h1 style="font-size:20px;margin:0 0 8px">{_escaped(ask.title)}</h1>',
        _table([(label, value) for label, value in facts if value], _VALUE),
        f'<div style="{_BOX}">{_table(_arguments(ask), _CODE)}</div>' if ask.arguments else "",
        _preview(ask.preview) if ask.preview else "",
        f'<p style="margin:24px 0"><a href="{_escaped(ask.link)}" style="{_BUTTON}">Review and decide</a></p>',
        f'<p style="{_SMALL}">{_ON_PAGE}<br>{_escaped(ask.link)}</p>',
        f'<p style="{_SMALL}">{_broken(ask.instructions)}</p>' if ask.instructions else "",
    ]
    return f'<div style="max-width:640px">{"".join(parts)}</div>'


def _table(rows: list[tuple[str, str]], style: str) -> str:
    cells = (
        f'<tr><td style="{_LABEL}">{_escaped(label)}</td><td style="{style}">{_broken(value)}</td></tr>'
        for label, value in rows
    )
    start = '<table role="presentation" cellpadding="0" cellspacing="0" style="border-collapse:collapse">'
    return f"{start}{''.join(cells)}</table>"


def _preview(preview: str) -> str:
    shown = _broken(_shown(preview, MAX_PREVIEW))
    return f'<p style="{_SMALL};margin:16px 0 4px">What would happen</p><div style="{_BOX};margin-top:0">{shown}</div>'


def _arguments(ask: ApprovalAsk) -> list[tuple[str, str]]:
    """The arguments, long ones cut; what is cut is on the page, and the mail says so."""
    shown = [(name, _shown(value, MAX_VALUE)) for name, value in ask.arguments[:MAX_ARGUMENTS]]
    left = len(ask.arguments) - MAX_ARGUMENTS
    return [*shown, ("…", f"{left} more arguments on the page")] if left > 0 else shown


def _shown(value: str, limit: int) -> str:
    return value if len(value) <= limit else f"{value[:limit]}… ({len(value) - limit} more characters on the page)"


def _escaped(value: str) -> str:
    return html.escape(clean(value))


def _broken(value: str) -> str:
    return _escaped(value).replace("\n", "<br>")
