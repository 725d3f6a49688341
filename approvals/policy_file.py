"""What `policy.yaml` may say, and what of it makes no sense by itself. Pure.

What it says of tools and people is held against these elsewhere: `approvals.policy_check`, `bot.deployment`.
"""

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from agent.conversation import Value
from agent.effects import Place, Step
from agent.verdict import Approvers, OnTimeout, Seats
from approvals.circumstances import FIELDS
from approvals.condition import Condition
from approvals.hours import BusinessHours
from approvals.people import Path, Role

Outcome = Literal["allow", "ask", "deny"]
Count = Annotated[int, Field(ge=1, le=100)]

_TAKEN = {"default", "error"}
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SPAN = re.compile(r"(?:\d+[smhd])+")
_PART = re.compile(r"(\d+)([smhd])")


def seconds(value: object) -> object:
    """`90`, `"90s"`, `"30m"`, `"24h"`, `"1d12h"` in seconds; anything else as it is, for Pydantic to refuse."""
    text = value.strip().lower() if isinstance(value, str) else ""
    if not _SPAN.fullmatch(text):
        return value
    return float(sum(int(number) * _UNITS[unit] for number, unit in _PART.findall(text)))


def _free(name: str) -> str:
    if name in _TAKEN or name.startswith("guardrail"):
        raise ValueError(f"{name!r} is what is written where no rule decided; call it something else")
    return name


def _readable(text: str) -> str:
    condition = Condition.parse(text)
    for variable, known in FIELDS.items():
        if strange := sorted(condition.fields(variable) - set(known)):
            raise ValueError(f"`{variable}` has no `{strange[0]}`; it has: {', '.join(known)}")
    return text


Seconds = Annotated[float, BeforeValidator(seconds), Field(gt=0, le=366 * 86400, allow_inf_nan=False)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=80, strip_whitespace=True), AfterValidator(_free)]
When = Annotated[str, AfterValidator(_readable)]
"""A condition in CEL."""


class Group(Value):
    """Some people, by role or by id."""

    roles: tuple[Role, ...] = ()
    people: tuple[str, ...] = ()


class SeatsEntry(Group):
    """So many of these."""

    count: Count = 1

    @model_validator(mode="after")
    def _has_somebody(self) -> "SeatsEntry":
        if not (self.roles or self.people):
            raise ValueError("needs `roles` or `people` to say whose approval it takes")
        return self


class ApproversEntry(Group):
    """Who may decide, as the file says it."""

    requester: bool = True
    """Whether whoever asked the agent may decide too, if they are among those listed."""
    count: Count = 1
    """How many different people it takes."""
    each: Annotated[tuple[SeatsEntry, ...], Field(max_length=20)] = ()
    """In place of `roles`, `people` and `count`: some of each of several groups, all different people."""
    in_order: bool = False
    """Whether each group waits for the one before it."""
    rejections: Count = 1
    """How many different people must say no."""

    @model_validator(mode="after")
    def _makes_sense(self) -> "ApproversEntry":
        if self.each and (self.roles or self.people or self.count != 1):
            raise ValueError("has both `each` and a group of its own: write `roles`, `people`, `count` inside `each`")
        if self.in_order and len(self.each) < 2:  # noqa: PLR2004 - one group has no order
            raise ValueError("`in_order` is about the groups of `each`: write two or more there")
        return self

    def approvers(self) -> Approvers:
        """The same, as an approval keeps it."""
        seats = tuple(Seats(roles=each.roles, people=each.people, count=each.count) for each in self.each)
        return Approvers(
            roles=self.roles,
            people=self.people,
            requester=self.requester,
            count=self.count,
            each=seats,
            in_order=self.in_order,
            rejections=self.rejections,
        )

    def groups(self) -> Iterator[tuple[Path, Group]]:
        """Every group, and where in the entry it stands."""
        yield (), self
        yield from ((("each", place), each) for place, each in enumerate(self.each))


class StepEntry(Group):
    """Whom else to ask after a while."""

    after: Seconds

    @model_validator(mode="after")
    def _has_somebody(self) -> "StepEntry":
        if not (self.roles or self.people):
            raise ValueError("needs `roles` or `people` to say whom to ask")
        return self

    def step(self) -> Step:
        """The same, as a verdict has it."""
        return Step(self.after, self.roles, self.people)


class Asking(Value):
    """How people are asked. What a rule leaves out the default says."""

    why: str = ""
    approvers: ApproversEntry | None = None
    timeout: Seconds | None = None
    """Until it expires; HUMAN_APPROVAL_TIMEOUT when it is not said."""
    show_on: Annotated[tuple[Place, ...], Field(min_length=1)] | None = None
    reminders: Annotated[int, Field(ge=0, le=50)] | None = None
    """How often; HUMAN_APPROVAL_RETRIES when it is not said."""
    escalation: Annotated[tuple[StepEntry, ...], Field(max_length=20)] | None = None
    on_timeout: OnTimeout | None = None
    """`expire` when it is not said. There is no third: that nobody looked is nobody's approval."""
    in_business_hours: bool | None = None
    """Whether timeout, reminders and escalation count business hours only."""
    may_grant: bool | None = None
    """Whether an approver may let like calls run without being asked again. Not where it takes several people."""

    @model_validator(mode="after")
    def _grants_by_one(self) -> "Asking":
        if self.may_grant and self.approvers is not None and not self.approvers.approvers().takes_one:
            raise ValueError("`may_grant` is for rules where one person decides: take it out, or the other approvers")
        return self

    def groups(self) -> Iterator[tuple[Path, Group]]:
        """Every group that it names, and where."""
        if self.approvers is not None:
            yield from ((("approvers", *path), group) for path, group in self.approvers.groups())
        yield from ((("escalation", place), each) for place, each in enumerate(self.escalation or ()))


class Default(Asking):
    """How people are asked where no rule says otherwise."""

    business_hours: BusinessHours | None = None
    """Of the whole policy."""


class Rule(Asking):
    """One rule. It matches a call that all its conditions match."""

    name: Name
    """What the log and the card call it."""
    tools: tuple[str, ...] = ()
    """Names of tools; `*` stands for any characters."""
    effect: Literal["read", "write"] | None = None
    when: When | None = None
    outcome: Outcome

    @model_validator(mode="after")
    def _makes_sense(self) -> "Rule":
        if not self.tools and self.effect is None and self.when is None:
            raise ValueError('needs `tools`, `effect` or `when`; `tools: ["*"]` matches every call')
        if self.outcome == "deny" and self.approvers is not None:
            raise ValueError("denies, so that nobody can approve: leave `approvers` out, or write `outcome: ask`")
        return self

    def names(self, tool: str) -> bool:
        """Whether the rule speaks of exactly this tool."""
        return tool in self.tools


class PolicyFile(Value):
    """The whole of `policy.yaml`."""

    default: Default = Default()
    """How people are asked where no rule says otherwise."""
    rules: tuple[Rule, ...] = ()

    @model_validator(mode="after")
    def _names_differ(self) -> "PolicyFile":
        names = [rule.name for rule in self.rules]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two rules are named {twice[0]!r}; the log could not tell them apart")
        return self

    def asking(self) -> Iterator[tuple[Path, Asking]]:
        """The default and each rule, and where it stands."""
        yield ("default",), self.default
        yield from ((("rules", place), rule) for place, rule in enumerate(self.rules))
