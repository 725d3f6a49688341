"""Which calls may run, which must wait for whom, and which never run: `policy.yaml`.

Rules, in the order of the file: the first that matches decides. What no rule matches is asked about. What goes wrong
while judging is asked about, as the default says: a rule that cannot be judged might have been the one that forbids. A
tool that declares `needs_approval` is asked about even where a rule allows it, unless that rule names the tool itself:
a pattern is no consent. Nobody listed means nobody may.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fnmatch import translate
from functools import cached_property
from typing import Literal, TypeVar

from agent import guardrail
from agent.conversation import Identity
from agent.effects import Allow, Ask, Deny, Verdict
from agent.errors import BadArguments
from agent.events import ToolCall
from agent.state import ThreadState
from agent.tool import Tool
from agent.verdict import Approvers
from approvals.circumstances import circumstances
from approvals.condition import Condition, ConditionError, Given
from approvals.hours import BusinessHours
from approvals.people import Directory, Person
from approvals.policy_file import ApproversEntry, Asking, Rule
from approvals.policy_file import PolicyFile as PolicyFile
from approvals.quorum import Voter, refusal
from approvals.roster import Roster

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Looked:
    """What became of one rule when a call was held against it."""

    rule: str
    outcome: Literal["decided", "matches", "does not match", "could not be judged"]
    """`matches`: it would have decided, had not one before it."""
    because: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the policy says of a call, and how it came to that."""

    looked: tuple[Looked, ...]
    """Every rule, in order."""
    verdict: Verdict


class _Unjudged(Exception):
    """A rule could not be judged."""

    def __init__(self, rule: Rule, reason: str) -> None:
        self.rule, self.reason = rule, reason
        super().__init__(f"Rule {rule.name!r} of the policy could not be judged, so a person is asked: {reason}.")


@dataclass(frozen=True)
class _Case:
    """A call to be judged. What conditions may speak of is put together for the first of them."""

    call: ToolCall
    tool: Tool
    state: ThreadState
    directory: Directory
    hours: BusinessHours | None

    @cached_property
    def given(self) -> Given:
        return Given.of(circumstances(self.call, self.tool, self.state, self.directory, self.hours))


class _Test:
    """A rule, ready to be held against calls."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self._names = frozenset(rule.tools)
        self._effect = rule.effect
        patterns = [translate(name) for name in rule.tools if not name.isidentifier()]
        self._pattern = re.compile("|".join(patterns)) if patterns else None
        self._condition = Condition.parse(rule.when) if rule.when is not None else None

    def fits(self, case: _Case) -> bool:
        """Whether it matches. Raises _Unjudged."""
        if self._names and case.call.name not in self._names and not self._is_like(case.call.name):
            return False
        if self._effect is not None and self._effect != case.tool.effect:
            return False
        if self._condition is None:
            return True
        try:
            return self._condition.holds(case.given)
        except ConditionError as error:
            raise _Unjudged(self.rule, str(error)) from None
        except BadArguments:
            raise _Unjudged(self.rule, "the tool would not take these arguments") from None

    def mismatch(self, case: _Case) -> str:
        """Why it does not match, in words; empty when it does. Raises _Unjudged."""
        if self.fits(case):
            return ""
        rule = self.rule
        if self._names and case.call.name not in self._names and not self._is_like(case.call.name):
            return f"it is about {', '.join(rule.tools)}"
        if rule.effect not in {None, case.tool.effect}:
            return f"it is about tools whose effect is {rule.effect}"
        return f"it is not so that {rule.when}"

    def _is_like(self, name: str) -> bool:
        return self._pattern is not None and self._pattern.match(name) is not None


class Policy:
    """Judges calls, as `agent.reducer.Rules.judge` wants it."""

    def __init__(self, file: PolicyFile, directory: Directory | None = None) -> None:
        self.rules = file.rules
        self.default = file.default
        self.hours = file.default.business_hours
        """By which times count where a rule says so."""
        self._directory = directory or Directory(())
        self._tests = tuple(_Test(rule) for rule in file.rules)

    def judge(self, call: ToolCall, tool: Tool, state: ThreadState) -> Verdict:
        """Allow, Ask or Deny. Never raises: whatever goes wrong is asked about."""
        try:
            case = self._case(call, tool, state)
            return self._verdict(next((test.rule for test in self._tests if test.fits(case)), None), case)
        except Exception as error:  # noqa: BLE001 - a rule that breaks must never let a call through, or lose it
            return self._in_doubt(error)

    def explain(self, call: ToolCall, tool: Tool, state: ThreadState) -> Explanation:
        """The same, with what became of each rule. Never raises."""
        try:
            case = self._case(call, tool, state)
            return Explanation(tuple(self._looks(case)), self.judge(call, tool, state))
        except Exception as error:  # noqa: BLE001 - as above
            return Explanation((), self._in_doubt(error))

    def _case(self, call: ToolCall, tool: Tool, state: ThreadState) -> _Case:
        return _Case(call, tool, state, self._directory, self.hours)

    def _looks(self, case: _Case) -> Iterator[Looked]:
        is_decided = False
        for test in self._tests:
            name = test.rule.name
            try:
                mismatch = test.mismatch(case)
            except _Unjudged as error:
                yield Looked(name, "could not be judged", error.reason)
                is_decided = True
                continue
            if mismatch:
                yield Looked(name, "does not match", mismatch)
            else:
                because = "a rule before it decided" if is_decided else _what_fits(test.rule)
                yield Looked(name, "matches" if is_decided else "decided", because)
                is_decided = True

    def _verdict(self, rule: Rule | None, case: _Case) -> Verdict:
        name = case.call.name
        if rule is None:
            return self._ask("default", self.default.why or f"No rule of the policy covers {name}.", Asking())
        match rule.outcome:
            case "deny":
                return Deny(rule.name, rule.why or "not allowed here")
            case "ask":
                where = f" where {rule.when}" if rule.when is not None else ""
                return self._ask(rule.name, rule.why or f"The policy wants a person's approval of {name}{where}.", rule)
            case "allow" if case.tool.needs_approval and not rule.names(name):
                return self._ask(rule.name, rule.why or f"{name} always needs a person's approval.", rule)
            case "allow":
                return Allow(rule.name)

    def _in_doubt(self, error: Exception) -> Ask:
        known = isinstance(error, _Unjudged)
        why = str(error) if known else f"The policy could not be applied ({type(error).__name__})."
        return replace(self._ask("error", why, Asking()), may_grant=False)  # it might have been the rule that forbids

    def _ask(self, rule: str, why: str, asking: Asking) -> Ask:
        default, approvers = self.default, self.approvers(asking).approvers()
        steps = _first(asking.escalation, default.escalation, ())
        return Ask(
            rule,
            why,
            approvers,
            timeout=_first(asking.timeout, default.timeout, None),
            show_on=_first(asking.show_on, default.show_on, ("thread", "mail")),
            reminders=_first(asking.reminders, default.reminders, None),
            escalation=tuple(each.step() for each in steps),
            on_timeout=_first(asking.on_timeout, default.on_timeout, "expire"),
            in_business_hours=self.hours is not None
            and _first(asking.in_business_hours, default.in_business_hours, False),  # noqa: FBT003 - a value
            may_grant=approvers.takes_one and _first(asking.may_grant, default.may_grant, False),  # noqa: FBT003 - a value
        )

    def doubted(self) -> Ask:
        """How people are asked about a call that it allows and a judge finds dangerous: as about the unforeseen."""
        return self._ask(guardrail.RULE, "", Asking())

    def approvers(self, asking: Asking) -> ApproversEntry:
        """Whom it asks: its own approvers, else the default's, else nobody."""
        return asking.approvers or self.default.approvers or ApproversEntry()


def _first(own: T | None, default: T | None, otherwise: T) -> T:
    """What a rule says, else what the default says, else that."""
    if own is not None:
        return own
    return otherwise if default is None else default


def _what_fits(rule: Rule) -> str:
    parts = [
        f"it is about {', '.join(rule.tools)}" if rule.tools else "",
        f"the tool's effect is {rule.effect}" if rule.effect else "",
        f"it is so that {rule.when}" if rule.when is not None else "",
    ]
    return "; ".join(part for part in parts if part)


def able_to_decide(approvers: Approvers, directory: Directory) -> tuple[Person, ...]:
    """Everybody of the directory who may decide, the requester put aside: whom a card is shown to."""
    voters = (Voter(each.id, roles=frozenset(each.roles), service=each.service) for each in directory.people)
    able = {voter.id for voter in voters if not refusal(approvers, voter, asked_for_it=False)}
    return tuple(each for each in directory.people if each.id in able)


def objection(approvers: Approvers, person: Person | None, roster: Roster, requester: Person | None) -> str:
    """Why this person may not decide now, in words for them; empty when they may."""
    voter = roster.voter(person) if person else None
    asked_for_it = voter is not None and requester is not None and requester.id in voter.ids
    reason = refusal(approvers, voter, asked_for_it=asked_for_it)
    doubt = unchecked(roster.unknown & approvers.all_roles) if reason and person and not person.service else ""
    return doubt or reason


def objection_to_asked(
    approvers: Approvers, person: Person | None, roster: Roster, asked_by: Iterable[Identity]
) -> str:
    """The same for what all these had a part in asking for; whoever is not listed is nobody who might decide."""
    known: list[Person | None] = [each for each in map(roster.directory.find, asked_by) if each is not None]
    reasons = (objection(approvers, person, roster, each) for each in known or [None])
    return next((reason for reason in reasons if reason), "")


def unchecked(roles: Iterable[str]) -> str:
    """What to say when a group could not be looked up and the decision hangs on it; empty for none."""
    names = " and ".join(sorted(roles))
    return f"I could not check with Slack who is in {names}; nothing was decided; try again." if names else ""
