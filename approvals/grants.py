"""What a grant lets run, and what grants there can be. Pure; `approvals.grant_words` says the same in words.

Rules:
- It covers a call of the same tool with the same parameters: a tool that changed is another tool.
- The arguments are exactly those that were approved, compared as an approval's digest compares them; or the condition
  holds for them as the tool would be given them, which is how policy.yaml judges, too. What cannot be judged is not
  covered.
- On a thread with words from outside it covers nothing, unless it was given on that very thread and nothing from
  outside has come in since it was asked for: whoever gave it has not read those words, and they may be behind the call.
- When it has ended it stays ended, on a thread whose log has got past that moment, wherever the clock goes.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache

from agent.conversation import JsonObject
from agent.effects import Ask
from agent.errors import BadArguments, BadTerms
from agent.events import ApprovalRequested, ToolCall
from agent.grant import GrantFacts as GrantFacts
from agent.state import ThreadState
from agent.tool import Tool
from agent.verdict import Approvers, Grant
from approvals.circumstances import arguments as taken
from approvals.condition import Condition, ConditionError
from approvals.decision import GrantTerms

LONGEST = timedelta(days=90)
"""How long a grant may stand."""
MOST_USES = 10_000
GUARDRAIL = "guardrail"
"""How the name of a rule begins that stands for a judge's doubts, not for the policy's wish."""

# --- what it covers -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Occasion:
    """A call that people would be asked about: which, of what, where, at whose wish, and when."""

    call: ToolCall
    tool: Tool
    state: ThreadState
    requester: str
    """Id of the person who alone asked the agent; empty for nobody in people.yaml, and for several."""
    now: datetime

    @cached_property
    def latest(self) -> datetime:
        """The moment, or the latest that the thread's log has seen, if the clock was moved back behind it."""
        return max([self.now, *(entry.event.at for entry in self.state.entries)])


def may_be_granted(ask: Ask) -> bool:
    """Whether a grant may stand for the approval that is asked for here."""
    return ask.may_grant and ask.approvers.takes_one and not ask.rule.startswith(GUARDRAIL)


def covers(facts: GrantFacts, occasion: Occasion) -> bool:
    """Whether the grant lets this call run. That its giver may still give it is for others to say."""
    grant, tool = facts.grant, occasion.tool
    return (
        grant.schema_digest == tool.schema_digest  # which covers its name
        and facts.stands(occasion.latest)
        and grant.thread_id in {"", occasion.state.thread_id}
        and grant.requester in {"", occasion.requester}
        and not _follows_outsiders(facts, occasion.state)
        and _matches(grant, tool, occasion.call.arguments)
    )


def _follows_outsiders(facts: GrantFacts, state: ThreadState) -> bool:
    """Whether there are words from outside on the thread that whoever gave the grant cannot have read."""
    if not state.taint:
        return False
    asked = [entry.seq for entry in state.entries if _is_request(entry.event, facts.approval_id)]
    return not asked or any(getattr(e.event, "is_outside", False) for e in state.entries if e.seq > asked[0])


def _is_request(event: object, approval_id: str) -> bool:
    return isinstance(event, ApprovalRequested) and event.approval_id == approval_id


def _matches(grant: Grant, tool: Tool, arguments: JsonObject) -> bool:
    if grant.arguments is None and not grant.condition:
        return False
    if grant.arguments is not None and not tool.digest(grant.arguments) == grant.digest == tool.digest(arguments):
        return False
    return not grant.condition or _holds(grant.condition, tool, arguments)


def _holds(condition: str, tool: Tool, arguments: JsonObject) -> bool:
    """Whether it does, of the arguments as the tool would be given them."""
    try:
        return _parsed(condition).holds({"args": taken(tool, arguments)})
    except Exception:  # noqa: BLE001 - whatever it is, people are asked
        return False


@lru_cache(maxsize=512)
def _parsed(condition: str) -> Condition:
    return Condition.parse(condition, ("args",))


# --- making one -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Basis:
    """The call that is approved, and what else a grant on its card is bound to."""

    tool: Tool
    arguments: JsonObject
    thread_id: str
    requester: str
    """Id of the person who asked the agent; empty for nobody in people.yaml."""
    approvers: Approvers


def leashed(terms: GrantTerms, basis: Basis, grant_id: str, now: datetime) -> Grant:
    """The grant of these terms. Raises BadTerms for those that nobody can mean."""
    until = _whole_seconds(terms.until)
    _check_bounds(until, terms.uses, now)
    if terms.exact == bool(terms.condition.strip()):
        raise BadTerms("Say which calls: those with exactly these arguments, or those that a condition holds for.")
    if terms.scope == "requester" and not basis.requester:
        raise BadTerms("Whoever asked is not in this deployment's list of people, so it cannot be for them alone.")
    if not terms.exact:
        _check_condition(terms.condition, basis)
    return Grant(
        id=grant_id,
        tool=basis.tool.name,
        schema_digest=basis.tool.schema_digest,
        arguments=basis.arguments if terms.exact else None,
        digest=basis.tool.digest(basis.arguments) if terms.exact else "",
        condition=terms.condition.strip(),
        thread_id=basis.thread_id if terms.scope == "thread" else "",
        requester=basis.requester if terms.scope == "requester" else "",
        until=until,
        uses=terms.uses,
        approvers=basis.approvers,
    )


def _whole_seconds(until: datetime) -> datetime:
    """As the words say it: no fraction of a second longer."""
    if until.tzinfo is None:
        raise BadTerms("The end needs a time zone.")
    return until.astimezone(UTC).replace(microsecond=0)


def _check_bounds(until: datetime, uses: int | None, now: datetime) -> None:
    if not now < until <= now + LONGEST:
        raise BadTerms(f"The end must be ahead, and at most {LONGEST.days} days from now.")
    if uses is not None and not 1 <= uses <= MOST_USES:
        raise BadTerms(f"How often must be a number from 1 to {MOST_USES}, or left open.")


def _check_condition(text: str, basis: Basis) -> None:
    try:
        _parsed(text.strip())
    except ValueError as error:
        raise BadTerms(f"The condition cannot be read: {error}") from None
    if _is_constant(text):
        raise BadTerms("The condition says nothing of the arguments; they are called args, as in: args.amount <= 50")
    if not _holds(text.strip(), basis.tool, basis.arguments):
        raise BadTerms(f"The condition does not hold for the very call that is approved.{_trouble(text, basis)}")


def _is_constant(text: str) -> bool:
    try:
        Condition.parse(text.strip(), ())
    except ValueError:
        return False
    return True


def _trouble(text: str, basis: Basis) -> str:
    try:
        _parsed(text.strip()).holds({"args": taken(basis.tool, basis.arguments)})
    except (ConditionError, BadArguments) as error:
        return f" It cannot be judged: {error}."
    return ""
