"""Grants for tests: one on a refund, what is known of it, and calls that it may or may not cover."""

from dataclasses import replace
from datetime import timedelta

from agent.conversation import JsonObject
from agent.events import Event, GrantGiven
from agent.tool import Tool
from agent.verdict import Decider, Grant
from approvals.decision import GrantTerms
from approvals.grants import Basis, GrantFacts, Occasion, leashed
from approvals.policy_file import PolicyFile
from tests.builders import AT, DANA, LEADS, Ledger, a_call, a_message, a_thread

REFUND = Ledger().tools()["refund"]
ARGUMENTS: JsonObject = {"order_id": "1042", "amount": 40.0}
DAY = timedelta(days=1)
DANA_GIVES = Decider(person="dana", identity=DANA, via="slack")


def granting(**approvers: object) -> PolicyFile:
    """Refunds are asked about, and one approval may stand for more."""
    rule = {"name": "refunds", "tools": ["refund"], "outcome": "ask", "approvers": approvers, "may_grant": True}
    return PolicyFile.model_validate({"rules": [rule]})


def terms(**changes: object) -> GrantTerms:
    """Exactly these arguments, for anybody, for a day."""
    values: dict[str, object] = {"scope": "anyone", "until": AT + DAY, **changes}
    return GrantTerms(**values)  # type: ignore[arg-type]  # the fields of GrantTerms


def where(condition: str, **changes: object) -> GrantTerms:
    """Calls for whose arguments this holds."""
    return terms(condition=condition, exact=False, **changes)


def a_grant(wanted: GrantTerms | None = None, arguments: JsonObject = ARGUMENTS, tool: Tool = REFUND) -> Grant:
    """What these terms come to, on a card in thr_1 that Ada's wish brought about."""
    return leashed(wanted or terms(), Basis(tool, arguments, "thr_1", "ada", LEADS), "grt_1", AT)


def known(grant: Grant | None = None, used: int = 0) -> GrantFacts:
    """What is known of it."""
    given = GrantGiven(at=AT, approval_id="apr_1", grant=grant or a_grant(), by=DANA_GIVES)
    return GrantFacts("thr_1", given, used)


def an_occasion(
    arguments: JsonObject = ARGUMENTS, *events: Event, thread_id: str = "thr_1", **changes: object
) -> Occasion:
    """The agent wants to refund, an hour after the grant was given."""
    state = replace(a_thread(a_message(), *events), thread_id=thread_id)
    call = a_call("refund").model_copy(update={"arguments": arguments})
    found = Occasion(call, REFUND, state, "ada", AT + timedelta(hours=1))
    return replace(found, **changes)  # type: ignore[arg-type]  # the fields of Occasion
