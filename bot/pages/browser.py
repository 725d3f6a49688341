"""The browser that a page is shown in: what its cookies prove, and that its forms came from a page of ours.

Two cookies, both for our paths alone and out of reach of scripts: a random value that the tokens of forms are bound to,
so that no other site can send one, and the sign-in that says whose browser it is. Neither decides anything by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi import Request, Response

from approvals import token
from approvals.decision import Origin
from bot.request_body import origin
from bot.sign_in import KNOWN, Session, SignIn

FORM = "twokey_form"
WHOSE = "twokey_session"
FOREIGN = "The form did not come from this page in this browser, or cookies are off. Check it and send it again."


@dataclass(frozen=True, slots=True)
class Browser:
    """One of them, at this request."""

    nonce: str
    """The value of its cookie; a new one where it has none."""
    has_cookie: bool
    session: Session | None
    origin: Origin

    @property
    def signed_in(self) -> Session | None:
        """Who is signed in; None when nobody is, or has not been here for long."""
        return self.session if self.session and self.session.is_live else None


@dataclass(frozen=True, slots=True)
class Browsers:
    """Knows them by their cookies."""

    sign_in: SignIn

    @property
    def prefix(self) -> str:
        """The path under which people reach us, as PUBLIC_URL says; empty for none."""
        return urlsplit(self.sign_in.public_url).path.rstrip("/")

    async def of(self, request: Request) -> Browser:
        """The one that asks."""
        nonce = request.cookies.get(FORM, "")
        is_ours = token.is_id(nonce, "form")
        session = await self.sign_in.session(request.cookies.get(WHOSE, ""))
        return Browser(nonce if is_ours else self.sign_in.ids.new("form"), is_ours, session, origin(request))

    def form_token(self, browser: Browser, page: str) -> str:
        """What a form on that page must send back."""
        return token.csrf_token(browser.nonce, self._bound(browser, page), self.sign_in.secrets)

    def is_ours(self, request: Request, browser: Browser, page: str, typed: Mapping[str, str]) -> bool:
        """Whether the form came from that page, in this browser, as the one who is signed in now."""
        if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            return False
        given, bound = typed.get("csrf", ""), self._bound(browser, page)
        return browser.has_cookie and token.check_csrf(given, browser.nonce, bound, self.sign_in.secrets)

    def _bound(self, browser: Browser, page: str) -> str:
        return f"{browser.session.id if browser.session else ''} {page}"

    def keep(self, response: Response, browser: Browser) -> Response:
        """The answer, with the value that forms are bound to."""
        self._set(response, FORM, browser.nonce)
        return response

    def sign(self, response: Response, session: Session) -> Response:
        """The answer, by which the browser is the person's from now on."""
        self._set(response, WHOSE, self.sign_in.kept(session), int(KNOWN.total_seconds()))
        return response

    def forget(self, response: Response) -> Response:
        """The answer, by which it is nobody's."""
        self._set(response, WHOSE, "", 0)
        return response

    def _set(self, response: Response, name: str, value: str, seconds: int | None = None) -> None:
        """SameSite=Lax and not Strict: whoever comes from a link in a mail is still signed in."""
        response.set_cookie(
            name,
            value,
            max_age=seconds,
            path=self.prefix or "/",
            secure=urlsplit(self.sign_in.public_url).scheme == "https",
            httponly=True,
            samesite="lax",
        )
