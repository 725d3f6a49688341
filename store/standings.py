"""Where approvals stand by the log, and where their rows say something else. Pure.

A row says what is read of the log: whoever makes it say less hides votes, or a change of what was asked.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from store.chain import Finding
from store.codec import micros

_SAYS = ("approval_voted", "approval_amended")
_NOTED = (*_SAYS, "approval_escalated", "approval_remarked", "remark_answered", "grant_given")
KINDS = ("approval_requested", "approval_decided", *_NOTED)
"""Of the events that move one. Attempts that were refused do not: of those a row may know or not."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an approval stands: by the log, or by its row."""

    about: str
    status: str
    asked_seq: int
    decided_seq: int | None
    version: int
    noted_seq: int | None
    """Up to where the log is read for what was said of it; the row's may be later."""
    plan: str | None
    expires_at: int


def standings(facts: Mapping[int, tuple[str, str]]) -> dict[str, Standing]:
    """The approvals that these events (kind and body by place) tell of."""
    found: dict[str, Standing] = {}
    for seq, (kind, text) in facts.items():
        try:
            body = json.loads(text)
            name = str(body["approval_id"])
            if kind == "approval_requested":
                expires_at = micros(datetime.fromisoformat(body["expires_at"]))
                found[name] = Standing(body["about"], "open", seq, None, 0, None, body.get("plan") or None, expires_at)
            elif name in found:
                found[name] = _moved(found[name], seq, kind, body)
        except (ValueError, KeyError, TypeError):  # then its text was changed, and the chain says so
            continue
    return found


def _moved(before: Standing, seq: int, kind: str, body: Mapping[str, Any]) -> Standing:
    if kind == "approval_decided":
        return replace(before, status=body["decision"]["outcome"], decided_seq=seq)
    return replace(before, noted_seq=seq, version=before.version + (kind in _SAYS))


def contradictions(thread_id: str, log: Mapping[str, Standing], rows: Mapping[str, Standing]) -> Iterator[Finding]:
    """Where the rows of a thread's approvals say something else than its log."""
    for name in {**log, **rows}:
        said, row = log.get(name), rows.get(name)
        if said is None and row is not None:
            yield Finding(thread_id, row.asked_seq, "contradicted", f"the log has no approval {name}; its row does")
        elif said is not None and row is None:
            yield Finding(thread_id, said.asked_seq, "contradicted", f"the row of approval {name} is missing")
        elif said is not None and row is not None and (words := _difference(name, said, row)):
            yield Finding(thread_id, said.decided_seq or said.asked_seq, "contradicted", words)


def _difference(name: str, said: Standing, row: Standing) -> str:
    """In words; empty for none."""
    if said.status != row.status:
        return f"by the log approval {name} is {said.status}, by its row {row.status}"
    if (said.about, said.asked_seq, said.decided_seq) != (row.about, row.asked_seq, row.decided_seq):
        return f"the row of approval {name} names other events than the log has"
    if said.version != row.version or (said.noted_seq or 0) > (row.noted_seq or 0):
        return f"the row of approval {name} leaves out what was said of it, or has more than was said"
    if (said.plan, said.expires_at) != (row.plan, row.expires_at):
        return f"the row of approval {name} has another plan or end than the log"
    return ""
