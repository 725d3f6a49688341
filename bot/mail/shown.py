"""What an approval mail showed, as a word that its reply address is bound to. Pure.

An answer decides what its mail showed, and not what has come to stand in its place: somebody may have changed the
arguments since, or the plan may have got another call.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from itertools import islice, product

from approvals.card import Card
from approvals.ports import Facts

MOST = 500
"""Earlier states that an answer may be to; beyond that it is taken for none of ours."""


def by_card(card: Card) -> str:
    """What the card shows."""
    return _word((each.approval_id, each.digest) for each in card.plan)


def earlier(facts: Facts) -> Iterator[str]:
    """What a card for these facts may have shown before."""
    calls = (facts, *facts.mates)
    histories = [
        [
            (each.approval_id, digest)
            for digest in (each.record.asked.digest, *(change.digest for change in each.record.amendments))
        ]
        for each in calls
    ]
    states = (state for length in range(1, len(calls) + 1) for state in product(*histories[:length]))
    return (_word(state) for state in islice(states, MOST))


def _word(calls: Iterable[tuple[str, str]]) -> str:
    return hashlib.sha256(json.dumps(list(calls)).encode()).hexdigest()[:32]
