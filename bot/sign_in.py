"""Signing in to the inbox: by a link that is sent to a known person, or by a code for a browser that is not known.

Rules:
- Whoever is sent something must be listed in people.yaml, and be a person: services never sign in.
- A link is good once, for a quarter of an hour, and only its button uses it: mail scanners follow every link.
- A code is good once, as long, in the one browser that asked for it, and for a few tries.
- Few of each are sent to a person at a time. Links that somebody else asked for reach the person all the same, and do;
  they take nothing from those that a person makes themselves, where it is known who asks.
- A session ends after hours of silence, after days in any case, when it is ended, and as soon as people.yaml no longer
  lists the person. For longer than that the browser is *known*: it need not ask for a code again when the person opens
  a link that was mailed to them. A known browser alone opens nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import structlog

from agent.ports import Clock, Ids
from approvals import token
from approvals.people import Directory, Person
from store.sign_ins import SignInRow, SignIns

log = structlog.get_logger()

GOOD_FOR = timedelta(minutes=15)
MOST = 4
"""Links, and codes, that a person is sent within that time."""
TRIES = 5
"""Wrong codes."""
IDLE = timedelta(hours=12)
SESSION = timedelta(days=7)
KNOWN = timedelta(days=90)
_SEEN_EVERY = timedelta(minutes=5)
_LINKS = {"anybody": "link", "themselves": "own_link"}
"""What a link is called on record, by who asked for it."""


@dataclass(frozen=True, slots=True)
class Session:
    """A browser in which a person has proved who they are."""

    id: str
    person: Person
    is_live: bool
    """Whether they are signed in now. Else the browser is only known to be theirs."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """Makes and takes what people sign in with."""

    rows: SignIns
    directory: Directory
    secrets: Sequence[str]
    clock: Clock
    ids: Ids
    public_url: str

    # --- asking -----------------------------------------------------------------------------------------------------

    async def link(
        self, person: Person, approval_id: str = "", *, asked_by: Literal["anybody", "themselves"] = "anybody"
    ) -> str | None:
        """The address of a page with a button that signs this person in, and leads to the approval if one is named.
        None for a service, and when there are enough of them. Whoever sends it must know whom they send it to."""
        sign_in = await self._made(person, _LINKS[asked_by])
        if sign_in is None:
            return None
        more = f"?approval={approval_id}" if approval_id else ""
        return f"{self.public_url}/inbox/sign-in/{token.sealed('sign-in', sign_in, self.secrets)}{more}"

    async def code(self, person: Person, nonce: str) -> tuple[str, str] | None:
        """The id of a new sign-in, and the code to be sent to the person; None when they were sent enough of them."""
        sign_in = await self._made(person, "code")
        return (sign_in, token.code(sign_in, nonce, self.secrets)) if sign_in else None

    async def _made(self, person: Person, kind: str) -> str | None:
        sign_in = self.ids.new("sgn")
        if person.service or not await self.rows.make(sign_in, person.id, kind, most=MOST, within=GOOD_FOR):
            log.info("sign_in.withheld", person=person.id, kind=kind)
            return None
        log.info("sign_in.asked", person=person.id, kind=kind)
        return sign_in

    # --- proving ----------------------------------------------------------------------------------------------------

    async def invited(self, text: str) -> Person | None:
        """Whom the end of a link would sign in, if it still can. Uses nothing up."""
        row = await self._row("sign-in", text)
        is_good = row and not (row.used_at or row.ended_at) and row.made_at > self.clock.now() - GOOD_FOR
        return self._person(row) if row and is_good else None

    async def accept_link(self, text: str) -> Session | None:
        """Sign the person in; None when the link is forged, too old or used, or nobody's any more."""
        row = await self._row("sign-in", text)
        person = self._person(row) if row else None
        if row is None or person is None or row.kind not in _LINKS.values():
            return None
        if not await self.rows.use(row.id, row.kind, within=GOOD_FOR):
            return None
        return Session(row.id, person, is_live=True)

    async def accept_code(self, sign_in: str, person: Person, typed: str, nonce: str) -> Session | None:
        """Sign the person in; None when the code is wrong, too old or used, or was tried too often."""
        row = await self.rows.find(sign_in)
        if row is None or row.person != person.id or person.service:
            return None
        if not await self.rows.try_code(sign_in, most=TRIES, within=GOOD_FOR):
            return None
        is_right = token.check_code(typed, sign_in, nonce, self.secrets)
        if not is_right or not await self.rows.use(sign_in, "code", within=GOOD_FOR):
            return None
        return Session(sign_in, person, is_live=True)

    # --- afterwards -------------------------------------------------------------------------------------------------

    def kept(self, session: Session) -> str:
        """What the browser keeps."""
        return token.sealed("session", session.id, self.secrets)

    async def session(self, kept: str) -> Session | None:
        """Whose browser it is; None when it is nobody's, or no longer."""
        row = await self._row("session", kept) if kept else None
        person = self._person(row) if row else None
        if row is None or person is None or row.used_at is None or row.seen_at is None or row.ended_at is not None:
            return None
        now = self.clock.now()
        if now - row.used_at >= KNOWN:
            return None
        is_live = now - row.used_at < SESSION and now - row.seen_at < IDLE
        if is_live and now - row.seen_at > _SEEN_EVERY:
            await self.rows.see(row.id)
        return Session(row.id, person, is_live)

    async def end(self, session: Session, *, everywhere: bool) -> None:
        """Sign out here, or in every browser of the person."""
        await (self.rows.end_all(session.person.id) if everywhere else self.rows.end(session.id))

    async def _row(self, purpose: token.Purpose, text: str) -> SignInRow | None:
        try:
            return await self.rows.find(token.unsealed(purpose, text, self.secrets))
        except token.BadToken:
            return None

    def _person(self, row: SignInRow) -> Person | None:
        person = self.directory.person(row.person)
        return None if person is None or person.service else person
