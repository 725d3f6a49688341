"""Grants over REST. Everybody with a token may look; whoever could approve such a call may take one back.

A grant is given with a decision: `grant` in its body.
"""

from dataclasses import dataclass

from fastapi import Request

from agent.errors import Refused
from agent.grant import GrantFacts
from approvals.gate import Gate
from approvals.people import Directory
from bot.api.answers import GrantList, GrantOut
from bot.api.bodies import REVOKE
from bot.api.caller import body, caller, flag
from bot.api.problem import Problem, not_found
from bot.api.reading import grant_out
from bot.api.threads import is_id
from bot.request_body import origin
from store.approvals import ApprovalIndex


@dataclass(frozen=True, slots=True)
class GrantEndpoints:
    """Look, take back."""

    gate: Gate
    index: ApprovalIndex
    directory: Directory

    async def listed(self, request: Request, all: str = "") -> GrantList:  # noqa: A002 - the name in the query
        """The grants that stand, the soonest to end first; with `all=1` also those that have ended, these last."""
        caller(request, self.directory)
        found = await self.index.grants(standing=not flag("all", all))
        return GrantList(grants=tuple(self._out(each) for each in found))

    async def show(self, request: Request, grant_id: str) -> GrantOut:
        """One grant, standing or not."""
        caller(request, self.directory)
        return self._out(await self._facts(grant_id))

    async def revoke(self, request: Request, grant_id: str) -> GrantOut:
        """Have such calls asked about again, at once; a use that is not on record by then does not happen."""
        person = caller(request, self.directory)
        reason = (await body(request, REVOKE)).reason
        await self._facts(grant_id)
        try:
            found = await self.gate.revoke(grant_id, person.identity("api"), "api", origin(request), reason)
        except Refused as refusal:
            raise Problem(403, "not_allowed", str(refusal)) from None
        return self._out(found)

    def _out(self, facts: GrantFacts) -> GrantOut:
        return grant_out(facts, self.gate, self.gate.clock.now())

    async def _facts(self, grant_id: str) -> GrantFacts:
        facts = await self.index.grant(grant_id) if is_id(grant_id) else None
        if facts is None:
            raise not_found("grant")
        return facts
