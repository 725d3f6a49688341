"""Grants on a terminal: what one is to let run, as it is typed, and how those that there are read."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from agent.errors import ConfigError, Refused
from agent.grant import GrantFacts
from approvals.card import Card
from approvals.decision import SCOPES, Approve, GrantTerms, scope_of
from approvals.policy_file import seconds
from bot.api.reading import grant_out
from bot.approval_texts import in_short, spelt_out
from bot.shell import Desk, json_object


@dataclass(frozen=True, slots=True)
class Wish:
    """The terms of a grant, as they were typed."""

    scope: str = ""
    until: str = ""
    uses: int | None = None
    where: str = ""

    def __bool__(self) -> bool:
        """Whether one is wanted at all."""
        return bool(self.scope or self.until or self.uses is not None or self.where)

    def terms(self, now: datetime) -> GrantTerms:
        """The same, said in full. Raises ConfigError, which names the option."""
        scope = scope_of(self.scope)
        if scope is None:
            raise ConfigError(f"--for: must be one of {', '.join(SCOPES)}: whose like calls may run")
        where = self.where.strip()
        return GrantTerms(scope, _end(self.until, now), self.uses, where, exact=not where)


def _end(text: str, now: datetime) -> datetime:
    span = seconds(text)
    if isinstance(span, float):
        return now + timedelta(seconds=span)
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ConfigError("--until: must be a span such as 12h or 7d, or a moment such as 2026-12-01T18:00") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Proposed:
    """Approvals of calls as they were shown, each with a grant; nothing is decided yet."""

    choices: Mapping[str, Approve]
    words: tuple[str, ...]
    """What each would let run."""


async def proposed(desk: Desk, approval_ids: Sequence[str], arguments: str, wish: Wish) -> Proposed:
    """What would be let run, for each of these approvals. Raises Refused."""
    terms = wish.terms(desk.service.clock.now())
    changed = json_object(arguments) if arguments else None
    if changed is not None and len(approval_ids) > 1:
        raise Refused("--arguments changes one call; approve it by itself")
    cards = [await desk.card(each) for each in approval_ids]
    choices = {each.approval_id: Approve(each.digest, changed, terms) for each in cards}
    words = [await desk.service.gate.grant_words(each, choice) for each, choice in choices.items()]
    return Proposed(choices, tuple(words))


async def approve(desk: Desk, shown: Proposed) -> list[Card]:
    """Approve just that, however long somebody read it."""
    return await desk.decide(shown.choices)


async def listed(desk: Desk, *, every: bool) -> list[GrantFacts]:
    """Those that stand, or all there were."""
    return await desk.service.index.grants(standing=not every)


async def revoke(desk: Desk, grant_id: str, reason: str) -> GrantFacts:
    """Take one back, as the owner of the token. Raises Refused and AlreadySettled."""
    if await desk.service.index.grant(grant_id) is None:
        raise Refused(f"there is no grant {grant_id}; see: twokey grants list --all")
    return await desk.service.gate.revoke(grant_id, desk.identity(), "cli", reason=reason)


# --- how it reads ---------------------------------------------------------------------------------------------------


def table(desk: Desk, found: Sequence[GrantFacts]) -> str:
    """A line or two a grant: how it stands, and all of what it lets run."""
    lines = [f"{'GRANT':26}{'STATUS':10}{'USED':>6}  {'GIVEN BY':16}{'GIVEN (UTC)':18}WHAT"]
    now = desk.service.clock.now()
    for each in found:
        limit = f"/{each.grant.uses}" if each.grant.uses is not None else ""
        by = in_short(desk.service.gate.called(each.given_by))
        what = spelt_out(desk.service.gate.granting.words(each.grant))
        lines.append(
            f"{each.grant.id:26}{each.status(now):10}{f'{each.used}{limit}':>6}  {by:16}"
            f"{each.given_at:%Y-%m-%d %H:%M}  {what}"
        )
    return "\n".join(lines)


def as_json(desk: Desk, found: Sequence[GrantFacts]) -> str:
    """The grants as a JSON list, each as REST gives it."""
    gate, now = desk.service.gate, desk.service.clock.now()
    return json.dumps([grant_out(each, gate, now).model_dump(mode="json") for each in found], indent=1)
