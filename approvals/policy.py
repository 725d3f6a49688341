"""Which calls may run, which must wait for whom, and which never run: `policy.yaml`.

Rules, in the order of the file: the first that matches decides. What no rule matches is asked about. What goes wrong
while judging is asked about. A tool that declares `needs_approval` is asked about even where a rule allows it, unless
that rule names the tool itself: a pattern is no consent. Nobody listed means nobody may.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from agent.conversation import Value
from agent.effects import Allow, Ask, Deny, Place, Verdict
from agent.events import ToolCall
from agent.thread import ThreadState
from agent.tool import Tool
from agent.verdict import Approvers
from approvals.people import Directory, Person, Role
from approvals.quorum import Voter, refusal
from approvals.roster import Roster

Outcome = Literal["allow", "ask", "deny"]
Name = Annotated[str, StringConstraints(min_length=1, max_length=80, strip_whitespace=True)]

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SPAN = re.compile(r"(?:\d+[smhd])+")
_PART = re.compile(r"(\d+)([smhd])")


def seconds(value: object) -> object:
    """`90`, `"90s"`, `"30m"`, `"24h"`, `"1d12h"` in seconds; anything else as it is, for Pydantic to refuse."""
    text = value.strip().lower() if isinstance(value, str) else ""
    if not _SPAN.fullmatch(text):
        return value
    return float(sum(int(number) * _UNITS[unit] for number, unit in _PART.findall(text)))


Seconds = Annotated[float, BeforeValidator(seconds), Field(gt=0, le=366 * 86400, allow_inf_nan=False)]


class ApproversEntry(Value):
    """Who may decide, as the file says it."""

    roles: tuple[Role, ...] = ()
    people: tuple[str, ...] = ()
    requester: bool = True
    """Whether whoever asked the agent may decide too, if they are among those listed."""

    def approvers(self) -> Approvers:
        """The same, as an approval keeps it."""
        return Approvers(roles=self.roles, people=self.people, requester=self.requester)


class Asking(Value):
    """How people are asked."""

    why: str = ""
    approvers: ApproversEntry | None = None
    timeout: Seconds | None = None
    """Until it expires; HUMAN_APPROVAL_TIMEOUT when it is not said."""
    show_on: Annotated[tuple[Place, ...], Field(min_length=1)] | None = None


class Rule(Asking):
    """One rule. It matches a call that all its conditions match."""

    name: Name
    """What the log and the card call it."""
    tools: tuple[str, ...] = ()
    """Names of tools; `*` stands for any characters."""
    effect: Literal["read", "write"] | None = None
    outcome: Outcome

    @model_validator(mode="after")
    def _makes_sense(self) -> "Rule":
        if not self.tools and self.effect is None:
            raise ValueError('needs `tools` or `effect` to say what it is about; `tools: ["*"]` matches every call')
        if self.outcome == "deny" and self.approvers is not None:
            raise ValueError("denies, so that nobody can approve: leave `approvers` out, or write `outcome: ask`")
        return self

    def names(self, tool: str) -> bool:
        """Whether the rule speaks of exactly this tool."""
        return tool in self.tools


class PolicyFile(Value):
    """The whole of `policy.yaml`."""

    default: Asking = Asking()
    """How people are asked where no rule says otherwise."""
    rules: tuple[Rule, ...] = ()

    @model_validator(mode="after")
    def _names_differ(self) -> "PolicyFile":
        names = [rule.name for rule in self.rules]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two rules are named {twice[0]!r}; the log could not tell them apart")
        return self


def matches(rule: Rule, call: ToolCall, tool: Tool, state: ThreadState) -> bool:  # noqa: ARG001 - the seam, see below
    """Whether the rule is about this call. Conditions on arguments, channel or requester belong here: all that they
    can be about is at hand already."""
    named = not rule.tools or any(fnmatchcase(call.name, pattern) for pattern in rule.tools)
    return named and rule.effect in {None, tool.effect}


Matches = Callable[[Rule, ToolCall, Tool, ThreadState], bool]


class Policy:
    """Judges calls, as `agent.reducer.Rules.judge` wants it."""

    def __init__(self, file: PolicyFile, matches: Matches = matches) -> None:
        self.rules = file.rules
        self.default = file.default
        self._matches = matches

    def judge(self, call: ToolCall, tool: Tool, state: ThreadState) -> Verdict:
        """Allow, Ask or Deny. Never raises: whatever goes wrong is asked about."""
        try:
            return self._judge(call, tool, state)
        except Exception as error:  # noqa: BLE001 - a rule that breaks must never let a call through, or lose it
            return self._ask("error", f"The policy could not be applied ({type(error).__name__}).", Asking())

    def _judge(self, call: ToolCall, tool: Tool, state: ThreadState) -> Verdict:
        rule = next((rule for rule in self.rules if self._matches(rule, call, tool, state)), None)
        if rule is None:
            return self._ask("default", self.default.why or f"No rule of the policy covers {call.name}.", Asking())
        match rule.outcome:
            case "deny":
                return Deny(rule.name, rule.why or "not allowed here")
            case "ask":
                return self._ask(rule.name, rule.why or f"The policy wants a person's approval of {call.name}.", rule)
            case "allow" if tool.needs_approval and not rule.names(call.name):
                return self._ask(rule.name, rule.why or f"{call.name} always needs a person's approval.", rule)
            case "allow":
                return Allow(rule.name)

    def _ask(self, rule: str, why: str, asking: Asking) -> Ask:
        show_on = asking.show_on or self.default.show_on
        ask = Ask(rule, why, self.approvers(asking).approvers(), asking.timeout or self.default.timeout)
        return ask if show_on is None else Ask(rule, why, ask.approvers, ask.timeout, show_on)

    def approvers(self, asking: Asking) -> ApproversEntry:
        """Whom it asks: its own approvers, else the default's, else nobody."""
        return asking.approvers or self.default.approvers or ApproversEntry()

    def problems(self, directory: Directory) -> list[str]:
        """What nobody, or not everybody, could ever get approved; a sentence each."""
        found = []
        for name, asking in self._asking():
            approvers = self.approvers(asking)
            if set(approvers.roles) & set(directory.groups):
                continue  # who is in a group is not known before it is asked
            able = able_to_decide(approvers.approvers(), directory)
            if not able:
                found.append(f"{name}: nobody may approve what it asks about")
            elif len(able) == 1 and not approvers.requester:
                found.append(f"{name}: nobody may approve what {able[0].id} asks for: a second person is wanted")
        return found

    def _asking(self) -> Iterator[tuple[str, Asking]]:
        yield "default", self.default
        for rule in self.rules:
            if rule.outcome != "deny":
                yield f"rule {rule.name!r}", rule


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
    wanted = {role for seats in approvers.seats for role in seats.roles}
    doubt = unchecked(roster.unknown & wanted) if reason and person and not person.service else ""
    return doubt or reason


def unchecked(roles: Iterable[str]) -> str:
    """What to say when a group could not be looked up and the decision hangs on it; empty for none."""
    names = " and ".join(sorted(roles))
    return f"I could not check with Slack who is in {names}; nothing was decided; try again." if names else ""
