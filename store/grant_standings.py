"""Where grants stand by the log, and where their rows say something else. Pure."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from store.chain import Finding
from store.codec import micros

KINDS = ("grant_given", "grant_revoked")
"""Of the events that stand in the thread where a grant was given."""


@dataclass(frozen=True, slots=True)
class GrantStanding:
    """Where a grant stands: by the log, or by its row. Its uses are for themselves: many threads tell of them."""

    tool: str
    given_by: str
    seq: int
    until: int
    uses: int | None
    revoked_seq: int | None


@dataclass(frozen=True, slots=True)
class Counted:
    """A grant's row, and how often the logs of all threads say that it was used."""

    grant_id: str
    thread_id: str
    seq: int
    by_row: int
    by_log: int
    is_exact: bool
    """Whether no thread in which it was used can have been purged: not while it lasts."""


def grant_standings(facts: Mapping[int, tuple[str, str]]) -> dict[str, GrantStanding]:
    """The grants that these events (kind and body by place) of one thread tell of."""
    found: dict[str, GrantStanding] = {}
    for seq, (kind, text) in facts.items():
        try:
            body = json.loads(text)
            if kind == "grant_given":
                grant, until = body["grant"], micros(datetime.fromisoformat(body["grant"]["until"]))
                standing = GrantStanding(grant["tool"], body["by"]["person"], seq, until, grant.get("uses"), None)
                found[str(grant["id"])] = standing
            elif kind == "grant_revoked" and (name := str(body["grant_id"])) in found:
                found[name] = replace(found[name], revoked_seq=seq)
        except (ValueError, KeyError, TypeError):  # then its text was changed, and the chain says so
            continue
    return found


def grant_contradictions(
    thread_id: str, log: Mapping[str, GrantStanding], rows: Mapping[str, GrantStanding]
) -> Iterator[Finding]:
    """Where the rows of the grants that were given in a thread say something else than its log."""
    for name in {**log, **rows}:
        said, row = log.get(name), rows.get(name)
        place = said or row
        if said == row or place is None:
            continue
        if said is None:
            words = f"the log has no grant {name}; its row does"
        elif row is None:
            words = f"the row of grant {name} is missing"
        else:
            words = f"the row of grant {name} says something else than the log of {_differences(said, row)}"
        yield Finding(thread_id, place.seq, "contradicted", words)


def _differences(said: GrantStanding, row: GrantStanding) -> str:
    names = {
        "tool": "its tool", "given_by": "who gave it", "seq": "its place", "until": "its end",
        "uses": "how often it may be used", "revoked_seq": "whether it was taken back",
    }  # fmt: skip
    return ", ".join(words for name, words in names.items() if getattr(said, name) != getattr(row, name))


def miscounts(counted: Iterable[Counted]) -> Iterator[Finding]:
    """Grants whose rows say other numbers of uses than the logs."""
    for each in counted:
        if each.by_row < each.by_log or (each.is_exact and each.by_row != each.by_log):
            words = f"by its row grant {each.grant_id} was used {each.by_row} times, by the log {each.by_log}"
            yield Finding(each.thread_id, each.seq, "contradicted", words)
