"""Approvals over REST. Everybody with a token may look; only a person whom the policy names decides, never a service.

A decision goes through the gate as on any surface, with the address and the program that it came from; what is here
finds the right status for what the gate refuses.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import Request

from agent.errors import BadArguments, BadTerms, Refused
from approvals.decision import Answer, Approve, Choice, Reject
from approvals.gate import Gate
from approvals.people import Directory, Person
from approvals.ports import Facts
from bot.api.answers import ApprovalList, ApprovalOut, GrantWords
from bot.api.bodies import APPROVE, DECISION, PLAN, REMARK, AnswerBody, ApproveBody, RejectBody
from bot.api.caller import body, caller, flag
from bot.api.problem import Problem, not_found
from bot.api.reading import approval_out
from bot.api.threads import is_id
from bot.personal import Personal
from bot.request_body import origin
from bot.standing import argument_problems, refused_status
from store.approvals import ApprovalFacts, ApprovalIndex

_CODES = {403: "not_allowed", 409: "changed", 422: "no_answer"}


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody chose about one approval, and where in the body it stood."""

    facts: Facts
    choice: Choice
    where: str = ""


@dataclass(frozen=True, slots=True)
class ApprovalEndpoints:
    """Look, decide, ask."""

    gate: Gate
    index: ApprovalIndex
    directory: Directory

    async def listed(self, request: Request, all: str = "", mine: str = "") -> ApprovalList:  # noqa: A002 - the name in the query
        """The approvals that are open, the soonest to expire first; with `all=1` the decided ones too. With `mine=1`
        those that wait for the person of the token now; of the decided ones those that they had a say in."""
        person = caller(request, self.directory)
        is_open_only, is_mine = not flag("all", all), flag("mine", mine)
        now = self.gate.clock.now()
        told = await (self._own(person, is_open_only) if is_mine else self._listed(is_open_only))
        found = [approval_out(facts, self.gate, now) for facts in told]
        return ApprovalList(approvals=tuple(each for each in found if each.status == "open" or not is_open_only))

    async def _listed(self, is_open_only: bool) -> list[ApprovalFacts]:  # noqa: FBT001 - as the query says
        ids = await self.index.listed(open_only=is_open_only)
        return [facts for each in ids if (facts := await self.index.facts(each))]

    async def _own(self, person: Person, is_open_only: bool) -> list[ApprovalFacts]:  # noqa: FBT001 - as above
        personal = Personal(self.gate, self.index)
        cards = (await personal.pending(person)).cards + (() if is_open_only else await personal.decided(person))
        return await self.index.facts_of(list(dict.fromkeys(card.approval_id for card in cards)))

    async def show(self, request: Request, approval_id: str) -> ApprovalOut:
        """One approval, open or decided."""
        caller(request, self.directory)
        return await self._out(approval_id)

    async def decide(self, request: Request, approval_id: str) -> ApprovalOut:
        """Approve (with the digest that was read), reject or answer, as the person of the token. The first decision
        counts; a later one is told who was first (409). Where it takes several people, `status` stays `open` and
        `votes` says who has had their say."""
        person = caller(request, self.directory)
        choice = _choice(await body(request, DECISION))
        await self._decide(request, person, [Said(await self._facts(approval_id), choice)])
        return await self._out(approval_id)

    async def decide_plan(self, request: Request, approval_id: str) -> ApprovalOut:
        """Decide several calls of one plan in one go: all of it counts, or none. What is left out stays open, and what
        is decided already stays as it is, unless all of it is (409)."""
        person = caller(request, self.directory)
        decisions = (await body(request, PLAN)).decisions
        plan = await self._plan(await self._facts(approval_id))
        if others := sorted(set(decisions) - set(plan)):
            wrong = {f"decisions.{each}": "is not of this plan" for each in others}
            raise Problem(422, "invalid", f"This plan has: {', '.join(sorted(plan))}.", wrong)
        said = [Said(plan[each], _choice(sent), f"decisions.{each}.") for each, sent in decisions.items()]
        await self._decide(request, person, said)
        return await self._out(approval_id)

    async def remark(self, request: Request, approval_id: str) -> ApprovalOut:
        """Ask the agent something about a call that waits, without deciding. Its answer is in `remarks` once it has
        given one."""
        person = caller(request, self.directory)
        text = (await body(request, REMARK)).text
        facts = await self._facts(approval_id)
        try:
            await self.gate.remark(approval_id, text, person.identity("api"), "api", origin(request))
        except Refused as refusal:
            status = 403 if await self.gate.objection(facts.request, person) else 422
            raise Problem(status, _CODES[status], str(refusal)) from None
        return await self._out(approval_id)

    async def grant_words(self, request: Request, approval_id: str) -> GrantWords:
        """What a decision to approve with a `grant` would let run, in words, before it is sent. Nothing is decided."""
        person = caller(request, self.directory)
        sent = await body(request, APPROVE)
        choice = _choice(sent)
        said = Said(await self._facts(approval_id), choice)
        if not isinstance(choice, Approve) or choice.grant is None:
            raise Problem(422, "invalid", "There is no `grant` in this.", {"grant": "must be there"})
        try:
            return GrantWords(words=await self.gate.grant_words(approval_id, choice))
        except BadTerms as error:
            raise Problem(422, "bad_grant", str(error)) from None
        except Refused as refusal:
            raise await self._refused([said], person, refusal) from None

    async def _out(self, approval_id: str) -> ApprovalOut:
        return approval_out(await self._facts(approval_id), self.gate, self.gate.clock.now())

    async def _facts(self, approval_id: str) -> Facts:
        facts = await self.index.facts(approval_id) if is_id(approval_id) else None
        if facts is None:
            raise not_found("approval")
        return facts

    async def _plan(self, facts: Facts) -> Mapping[str, Facts]:
        """All approvals of the plan that this one is of, by id; itself alone when it is of none."""
        first = await self._facts(facts.request.plan) if facts.request.plan else facts
        return {each.approval_id: each for each in (first, *first.mates)}

    async def _decide(self, request: Request, person: Person, said: list[Said]) -> None:
        """Raises Problem."""
        choices = {each.facts.approval_id: each.choice for each in said}
        try:
            await self.gate.decide_plan(choices, person.identity("api"), "api", origin(request))
        except BadArguments as error:
            raise self._bad_arguments(said, error) from None
        except BadTerms as error:
            raise Problem(422, "bad_grant", str(error)) from None
        except Refused as refusal:
            raise await self._refused(said, person, refusal) from None

    def _bad_arguments(self, said: list[Said], error: BadArguments) -> Problem:
        fields: dict[str, str] = {}
        for each in said:
            given = each.choice.arguments if isinstance(each.choice, Approve) else None
            tool = self.gate.tools.get(each.facts.request.tool)
            problems = argument_problems(tool, given) if given is not None else {}
            where = f"{each.where}arguments"
            fields |= {f"{where}.{name}" if name else where: text for name, text in problems.items()}
        return Problem(422, "bad_arguments", f"The tool does not take these arguments: {error}", fields)

    async def _refused(self, said: list[Said], person: Person, refusal: Refused) -> Problem:
        status = 403
        for each in said:  # in the order in which the gate weighs them
            request = each.facts.request
            if await self.gate.objection(request, person):
                break
            status = refused_status(request, each.choice, self.gate.tools.get(request.tool))
            if status != 403:  # noqa: PLR2004 - what that says of what is in order, too
                break
        return Problem(status, _CODES[status], str(refusal))


def _choice(sent: ApproveBody | RejectBody | AnswerBody) -> Choice:
    match sent:
        case ApproveBody():
            return Approve(sent.digest, sent.arguments, sent.grant.terms() if sent.grant else None)
        case RejectBody():
            return Reject(sent.reason)
        case AnswerBody():
            return Answer(sent.text)
