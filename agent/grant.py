"""A grant as the log tells it: who gave it, for what, how often it was used, and whether it was taken back. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from agent.events import GrantGiven, GrantRevoked
from agent.verdict import Decider, Grant

GrantStatus = Literal["standing", "used up", "over", "revoked"]


@dataclass(frozen=True, slots=True)
class GrantFacts:
    """All that is known of one grant."""

    thread_id: str
    """Where it was given."""
    given: GrantGiven
    used: int = 0
    """How many calls ran under it."""
    revoked: GrantRevoked | None = None

    @property
    def grant(self) -> Grant:
        """What it lets run."""
        return self.given.grant

    @property
    def approval_id(self) -> str:
        """The approval on whose card it was given."""
        return self.given.approval_id

    @property
    def given_by(self) -> Decider:
        """Who gave it."""
        return self.given.by

    @property
    def given_at(self) -> datetime:
        """When."""
        return self.given.at

    @property
    def revoked_by(self) -> Decider | None:
        """Who took it back, if somebody has."""
        return self.revoked.by if self.revoked else None

    @property
    def revoked_at(self) -> datetime | None:
        """When it was taken back, if it was."""
        return self.revoked.at if self.revoked else None

    @property
    def is_used_up(self) -> bool:
        """Whether it was used as often as it may be."""
        return self.grant.uses is not None and self.used >= self.grant.uses

    def status(self, now: datetime) -> GrantStatus:
        """How it stands at this moment, in a word."""
        if self.revoked:
            return "revoked"
        if self.is_used_up:
            return "used up"
        return "standing" if self.stands(now) else "over"

    def stands(self, now: datetime) -> bool:
        """Whether it lets anything run at this moment, as far as it is for the grant itself to say."""
        return self.revoked is None and not self.is_used_up and now < self.grant.until
