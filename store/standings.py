"""Where approvals stand by the log, and where their rows say something else. Pure."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from store.chain import Finding


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an approval stands: by the log, or by its row."""

    about: str
    status: str
    asked_seq: int
    decided_seq: int | None


def standings(facts: Mapping[int, tuple[str, str]]) -> dict[str, Standing]:
    """The approvals that these events (kind and body by place) tell of."""
    found: dict[str, Standing] = {}
    for seq, (kind, text) in facts.items():
        try:
            body = json.loads(text)
            name = str(body["approval_id"])
            if kind == "approval_requested":
                found[name] = Standing(body["about"], "open", seq, None)
            elif name in found:
                asked = found[name]
                found[name] = Standing(asked.about, body["decision"]["outcome"], asked.asked_seq, seq)
        except (ValueError, KeyError, TypeError):  # then its text was changed, and the chain says so
            continue
    return found


def contradictions(thread_id: str, log: Mapping[str, Standing], rows: Mapping[str, Standing]) -> Iterator[Finding]:
    """Where the rows of a thread's approvals say something else than its log."""
    for name in {**log, **rows}:
        said, row = log.get(name), rows.get(name)
        if said == row:
            continue
        if said is None and row is not None:
            yield Finding(thread_id, row.asked_seq, "contradicted", f"the log has no approval {name}; its row does")
        elif said is not None and row is None:
            yield Finding(thread_id, said.asked_seq, "contradicted", f"the row of approval {name} is missing")
        elif said is not None and row is not None:
            place = said.decided_seq or said.asked_seq
            words = f"by the log approval {name} is {said.status}, by its row {row.status}"
            if said.status == row.status:
                words = f"the row of approval {name} names other events than the log has"
            yield Finding(thread_id, place, "contradicted", words)
