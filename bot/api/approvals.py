"""Approvals over REST. Everybody with a token may look; only a person whom the policy names decides, never a service.

A decision goes through the gate as on any surface; what is here finds the right status for what the gate refuses.
"""

from dataclasses import dataclass

import structlog
from fastapi import Request

from agent.errors import AlreadySettled, BadArguments, Refused
from approvals.decision import Answer, Approve, Choice, Reject
from approvals.gate import Gate
from approvals.people import Directory, Person
from approvals.ports import Facts
from bot.api.answers import ApprovalList, ApprovalOut
from bot.api.bodies import DECISION, AnswerBody, ApproveBody, RejectBody
from bot.api.caller import body, caller, identity
from bot.api.problem import Problem, not_found
from bot.api.reading import approval_out
from bot.api.threads import is_id
from bot.standing import argument_problems, refused_status
from store.approvals import ApprovalIndex

log = structlog.get_logger()

_CODES = {403: "not_allowed", 409: "changed", 422: "no_answer"}


@dataclass(frozen=True, slots=True)
class ApprovalEndpoints:
    """Look, decide."""

    gate: Gate
    index: ApprovalIndex
    directory: Directory

    async def listed(self, request: Request, all: str = "") -> ApprovalList:  # noqa: A002 - the name in the query
        """The approvals that are open, the soonest to expire first; with `all=1` the decided ones too."""
        caller(request, self.directory)
        if all.lower() not in {"", "0", "1", "false", "true"}:
            raise Problem(422, "invalid", "`all` is 1 or 0.", {"all": "must be 1 or 0"})
        is_open_only = all.lower() not in {"1", "true"}
        now = self.gate.clock.now()
        ids = await self.index.listed(open_only=is_open_only)
        found = [approval_out(facts, self.gate, now) for each in ids if (facts := await self.index.facts(each))]
        return ApprovalList(approvals=tuple(each for each in found if each.status == "open" or not is_open_only))

    async def show(self, request: Request, approval_id: str) -> ApprovalOut:
        """One approval, open or decided."""
        caller(request, self.directory)
        return approval_out(await self._facts(approval_id), self.gate, self.gate.clock.now())

    async def decide(self, request: Request, approval_id: str) -> ApprovalOut:
        """Approve (with the digest that was read), reject or answer, as the person of the token. The first decision
        counts; a later one is told who was first (409)."""
        person = caller(request, self.directory)
        wanted = _choice(await body(request, DECISION))
        facts = await self._facts(approval_id)
        self._refuse_service(person, facts)
        try:
            await self.gate.decide(approval_id, wanted, identity(person), "api")
        except AlreadySettled as settled:
            raise Problem(409, "already_settled", str(settled)) from None
        except BadArguments as error:
            raise self._bad_arguments(facts, wanted, error) from None
        except Refused as refusal:
            raise await self._refused(facts, wanted, person, refusal) from None
        return approval_out(await self._facts(approval_id), self.gate, self.gate.clock.now())

    async def _facts(self, approval_id: str) -> Facts:
        facts = await self.index.facts(approval_id) if is_id(approval_id) else None
        if facts is None:
            raise not_found("approval")
        return facts

    def _refuse_service(self, person: Person, facts: Facts) -> None:
        """The gate lets anybody answer a question that is put to whoever is in the thread; no program is somebody."""
        if not person.service:
            return
        reason = "A service cannot decide; it takes a person."
        approval_id = facts.request.approval_id
        log.info("approval.refused", approval_id=approval_id, by=identity(person).key, via="api", reason=reason)
        raise Problem(403, "not_allowed", reason)

    def _bad_arguments(self, facts: Facts, wanted: Choice, error: BadArguments) -> Problem:
        given = wanted.arguments if isinstance(wanted, Approve) and wanted.arguments else {}
        problems = argument_problems(self.gate.tools.get(facts.request.tool), given)
        fields = {f"arguments.{name}" if name else "arguments": text for name, text in problems.items()}
        return Problem(422, "bad_arguments", f"The tool does not take these arguments: {error}", fields)

    async def _refused(self, facts: Facts, wanted: Choice, person: Person, refusal: Refused) -> Problem:
        may_not = await self.gate.objection(facts.request, person)
        tool = self.gate.tools.get(facts.request.tool)
        status = 403 if may_not else refused_status(facts.request, wanted, tool)
        return Problem(status, _CODES[status], str(refusal))


def _choice(sent: ApproveBody | RejectBody | AnswerBody) -> Choice:
    match sent:
        case ApproveBody():
            return Approve(sent.digest, sent.arguments)
        case RejectBody():
            return Reject(sent.reason)
        case AnswerBody():
            return Answer(sent.text.replace("\x00", ""))
