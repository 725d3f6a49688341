"""What becomes of a form sent from an approval's page, by whichever door: the gate decides, this finds words."""

from collections.abc import Mapping
from dataclasses import dataclass

from agent.errors import BadArguments, Refused
from approvals.decision import Approve, Choice, Origin
from approvals.gate import Gate
from bot.pages import approval, submission
from bot.pages.approval import Told, fields_begin
from bot.pages.form import PREFIX
from bot.pages.submission import BadSubmission, Offer
from bot.pages.visit import Visit
from bot.parameters import BadFields
from bot.standing import argument_problems, refused_status


@dataclass(frozen=True, slots=True)
class Hand:
    """Has a visitor's say taken."""

    gate: Gate

    async def take(self, visit: Visit, typed: Mapping[str, str], origin: Origin) -> Told | None:
        """Do what the form says; what the page must answer when that is not done, or None when it is. Raises
        AlreadySettled."""
        offers = approval.offers(visit, self.gate)
        try:
            match typed.get("decision"):
                case "remark":
                    await self._remark(visit, typed, origin)
                case "look":
                    return await self._look(visit, typed, offers)
                case _:
                    return await self._decide(visit, typed, submission.choices_of(typed, offers, visit.zone), origin)
        except BadSubmission as error:
            return Told(422, str(error), typed)
        except BadFields as error:
            return Told(422, "", typed, error.problems)
        except Refused as refusal:
            return Told(403, str(refusal), typed)
        return None

    async def _remark(self, visit: Visit, typed: Mapping[str, str], origin: Origin) -> None:
        text = submission.needed(typed, "text", "Write a question first.")
        named = typed.get("of", visit.card.approval_id)
        if named not in {each.card.approval_id for each in visit.parts}:
            raise BadSubmission
        await self.gate.remark(named, text, visit.who, "web", origin)

    async def _look(self, visit: Visit, typed: Mapping[str, str], offers: list[Offer]) -> Told:
        """What a grant would let run, before it is given."""
        wanted = {**typed, "decision": "grant"}
        (approval_id, choice), *_ = submission.choices_of(wanted, offers, visit.zone).items()
        if not isinstance(choice, Approve):
            raise BadSubmission
        return Told(200, typed=typed, would_allow=await self.gate.grant_words(approval_id, choice))

    async def _decide(
        self, visit: Visit, typed: Mapping[str, str], choices: Mapping[str, Choice], origin: Origin
    ) -> Told | None:
        try:
            await self.gate.decide_plan(choices, visit.who, "web", origin)
        except Refused as refusal:
            return Told(self._status(visit, choices), str(refusal), typed)
        except BadArguments as error:
            problems = self._problems(visit, choices)
            return Told(422, problems.pop("", "") or str(error), typed, problems)
        return None

    def _status(self, visit: Visit, choices: Mapping[str, Choice]) -> int:
        """Of several the one that says most: that something has changed, else that it is no answer."""
        found = {
            refused_status(each.facts.request, choices[each.card.approval_id], self.gate.tools.get(each.card.tool))
            for each in visit.parts
            if each.card.approval_id in choices
        }
        return next((status for status in (409, 422) if status in found), 403)

    def _problems(self, visit: Visit, choices: Mapping[str, Choice]) -> dict[str, str]:
        found: dict[str, str] = {}
        for each in visit.parts:
            choice = choices.get(each.card.approval_id)
            if not isinstance(choice, Approve) or choice.arguments is None:
                continue
            of = fields_begin(visit, each)
            for name, text in argument_problems(self.gate.tools.get(each.card.tool), choice.arguments).items():
                found[of + PREFIX + name if name else ""] = text
        return found


def too_late(visit: Visit, settled: str) -> Told:
    """What somebody is told whose say came after the decision."""
    by = visit.facts.decided.by if visit.facts.decided else None
    if by is not None and by.person and by.person == visit.who.id:
        return Told(200)
    return Told(410 if visit.facts.decided is None or visit.card.status == "expired" else 409, settled)
