"""Pages for people: each approval, by the link that was mailed or from the inbox, and the inbox. No script anywhere."""

from fastapi import APIRouter

from approvals.gate import Gate
from bot.pages.browser import Browsers
from bot.pages.inbox import ByInbox
from bot.pages.post import Post
from bot.pages.routes import ByLink
from bot.pages.signing_in import SigningIn
from bot.pages.view import View
from bot.pages.visit import Reception
from bot.personal import Personal
from bot.sign_in import SignIn


def router(gate: Gate, personal: Personal, sign_in: SignIn, post: Post | None) -> APIRouter:
    """All routes; `post` mails people, where mail is set up."""
    reception, browsers = Reception(gate, sign_in.secrets), Browsers(sign_in)
    view = View(browsers.prefix)
    found = APIRouter()
    found.include_router(ByLink(reception, browsers, post, view).router())
    found.include_router(SigningIn(browsers, post, view).router())
    found.include_router(ByInbox(reception, browsers, personal, view).router())
    return found
