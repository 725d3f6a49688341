"""Turns what a page knows into HTML, under headers that keep it from being run, framed, cached or followed.

The style sheet stands in the page itself and the policy names its hash: a page is one request, works behind any path
prefix, and nothing else on it is ever styled or run.
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bot.pages import words
from bot.pages.visible import marked

_HERE = Path(__file__).parent
_STYLE = (_HERE / "page.css").read_text()
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src data:; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}
"""On every answer of these pages. The address is half of a secret: it is not cached, not sent on, not indexed."""

_templates = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.globals["style"] = Markup(_STYLE)  # noqa: S704 - our own file
_templates.filters["marked"] = marked
_templates.filters["moment"] = words.moment
_templates.globals["vote"] = words.vote


@dataclass(frozen=True, slots=True)
class View:
    """Draws pages that lead to others of ours."""

    prefix: str
    """The path under which people reach us; empty for none."""

    def page(self, template: str, status: int, **context: object) -> HTMLResponse:
        """The template's page."""
        found = _templates.get_template(template).render(context, prefix=self.prefix)
        return HTMLResponse(found, status, HEADERS)

    def notice(
        self, status: int, title: str, text: str, *, standing: str = "", leads_to: Sequence[tuple[str, str]] = ()
    ) -> HTMLResponse:
        """A page that says one thing, where the approval stands if that may be said, and where it goes on."""
        return self.page("notice.html", status, title=title, text=text, standing=standing, leads_to=leads_to)
