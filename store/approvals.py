"""Approvals as rows: what stands open, what the log says of one, and the cards that lag behind."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, TextClause, text

from agent.approval import ApprovalRecord, recorded
from agent.conversation import Address, Destination
from agent.events import ApprovalDecided, ApprovalRequested, ToolFailed, ToolReturned
from agent.ports import Clock
from store import codec
from store.codec import micros
from store.database import Database, Tx
from store.grants import GrantIndex
from store.projection import reminder_suffix

Row = Sequence[Any]

_ADDRESS: TypeAdapter[Destination] = TypeAdapter(Address)

_KINDS = (
    "'approval_voted', 'approval_amended', 'approval_escalated', 'approval_remarked', 'remark_answered', "
    "'decision_refused', 'grant_given'"
)
_TOLD = (
    "approval.id, approval.thread_id, event.seq, event.kind, event.at, event.body FROM approval JOIN event "
    "ON event.thread_id = approval.thread_id AND (event.seq IN (asked_seq, decided_seq, outcome_seq) "
    f"OR (event.seq > asked_seq AND event.seq <= noted_seq AND event.kind IN ({_KINDS})))"
)
"""All that was said of an approval. What others said between is sorted out."""
_FACTS = text(f"SELECT {_TOLD} WHERE approval.id = :id OR approval.plan = :id ORDER BY asked_seq, event.seq")
"""Of one approval, and of those that its card shows, too."""
_MANY = (
    f"SELECT COALESCE(approval.plan, approval.id), {_TOLD} "
    "WHERE approval.id IN ({ids}) OR approval.plan IN ({ids}) ORDER BY asked_seq, event.seq"
)
"""The same for several cards at once, the card first."""
_OPEN_CARDS = text(
    "SELECT COALESCE(plan, id), min(expires_at) FROM approval WHERE status = 'open' "
    "GROUP BY COALESCE(plan, id) ORDER BY 2, 1 LIMIT :limit"
)
_OPEN_COUNT = text("SELECT count(DISTINCT COALESCE(plan, id)) FROM approval WHERE status = 'open'")
_SAID = text(
    "SELECT COALESCE(plan, id), max(at) FROM say JOIN approval ON approval.id = say.approval_id "
    "WHERE person = :person GROUP BY COALESCE(plan, id) ORDER BY 2 DESC, 1 LIMIT :limit"
)
AT_ONCE = 100
"""How many cards are read at once."""


@dataclass(frozen=True, slots=True)
class ApprovalFacts:
    """What the log says of one approval."""

    approval_id: str
    thread_id: str
    record: ApprovalRecord
    mates: tuple["ApprovalFacts", ...] = ()
    """The others of its plan, when its card shows them, too."""

    @property
    def request(self) -> ApprovalRequested:
        """What is asked, as it stands."""
        return self.record.request

    @property
    def decided(self) -> ApprovalDecided | None:
        """What was decided."""
        return self.record.decided

    @property
    def outcome(self) -> ToolReturned | ToolFailed | None:
        """What came of it."""
        return self.record.outcome


@dataclass(frozen=True, slots=True)
class DueCard:
    """A place where an approval is to be shown, or brought up to date."""

    approval_id: str
    address: Destination
    wanted: int
    shown: int
    receipt: str
    tried: bool
    attempts: int
    reminder: int = 0
    """Which reminder it is; 0 for the card itself."""
    card_receipt: str = ""
    """Of the card that it reminds of; empty while that is not shown yet."""
    facts: ApprovalFacts | None = field(default=None, compare=False)
    """What the log said when it was claimed, where the store gave that with the claim."""

    @property
    def key(self) -> str:
        """The key of its row."""
        return self.address.key + (reminder_suffix(self.reminder) if self.reminder else "")


class ApprovalIndex(GrantIndex):
    """All approvals of a database, and the grants that came of them."""

    def __init__(self, database: Database, clock: Clock, lease: float = 30.0) -> None:
        self.database = database
        self.clock = clock
        self.lease = lease
        due = f"shown < wanted AND not_before <= :clock AND lease_until <= {database.now}"
        self._due = (
            f"SELECT approval_id, address_key FROM card JOIN approval ON approval.id = approval_id WHERE {due}",
            "ORDER BY not_before, thread_id, asked_seq, address_key LIMIT :limit",
        )
        self._claim = text(
            f"UPDATE card SET lease_until = {database.now} + :lease, tried = :yes "
            f"WHERE approval_id = :approval_id AND address_key = :address_key AND {due} "
            "RETURNING address, wanted, shown, receipt, attempts"
        )
        self._seen = text(
            "SELECT tried, receipt FROM card WHERE approval_id = :approval_id AND address_key = :address_key"
        )

    async def facts(self, approval_id: str) -> ApprovalFacts | None:
        """What the log says of it; None when there is no such approval."""
        rows = await self.database.read(lambda c: c.execute(_FACTS, {"id": approval_id}).all())
        return _facts(approval_id, rows)

    async def listed(self, *, open_only: bool = True, thread_id: str = "", limit: int = 100) -> list[str]:
        """Ids of approvals, the soonest to expire first."""
        where = ["status = 'open'"] if open_only else []
        where += ["thread_id = :thread_id"] if thread_id else []
        clause = f"WHERE {' AND '.join(where)}" if where else ""
        statement = text(f"SELECT id FROM approval {clause} ORDER BY expires_at, id LIMIT :limit")
        values = {"thread_id": thread_id, "limit": limit} if thread_id else {"limit": limit}
        return await self.database.read(lambda c: list(c.execute(statement, values).scalars()))

    async def open_cards(self, limit: int) -> tuple[list[str], int]:
        """Ids of the cards on which something can be decided, the soonest to expire first, and how many there are in
        all. The calls of a plan are one card, whose id is that of the first of them."""
        rows = await self.database.read(lambda c: c.execute(_OPEN_CARDS, {"limit": limit}).all())
        if len(rows) < limit:
            return [row[0] for row in rows], len(rows)
        total = await self.database.read(lambda c: c.execute(_OPEN_COUNT, {}).scalar_one_or_none())
        return [row[0] for row in rows], int(total or 0)

    async def said_by(self, person: str, limit: int) -> list[str]:
        """Ids of the cards on which this person voted, changed something or decided, the latest first."""
        values = {"person": person, "limit": limit}
        return [row[0] for row in await self.database.read(lambda c: c.execute(_SAID, values).all())]

    async def facts_of(self, cards: Sequence[str]) -> list[ApprovalFacts]:
        """What the log says of these cards, in their order; those that there are not are left out."""
        found: dict[str, ApprovalFacts] = {}
        for start in range(0, len(cards), AT_ONCE):
            values = {f"id{place}": each for place, each in enumerate(cards[start : start + AT_ONCE])}
            statement = text(_MANY.format(ids=", ".join(f":{name}" for name in values)))
            rows = await self.database.read(partial(_rows, statement, values))
            found |= {each: facts for each, told in _by_card(rows).items() if (facts := _facts(each, told))}
        return [found[each] for each in cards if each in found]

    async def due_cards(self, limit: int = 50, *, without: Collection[str] = ()) -> list[tuple[str, str]]:
        """Cards that lag behind: (approval id, key of the address). Those of the channels in `without` are left out."""
        channels = {f"channel{number}": f"{name}%" for number, name in enumerate(sorted(without))}
        left_out = "".join(f" AND address_key NOT LIKE :{name}" for name in channels)
        statement = text(left_out.join((self._due[0], f" {self._due[1]}")))
        values = {"clock": micros(self.clock.now()), "limit": limit, **channels}
        rows = await self.database.read(lambda c: c.execute(statement, values).all())
        return [(row[0], row[1]) for row in rows]

    async def claim_card(self, approval_id: str, address_key: str) -> DueCard | None:
        """Take on the work of showing it, unless somebody else has. From now on it may have been shown. What is to be
        shown comes with it, in the same transaction."""

        def work(tx: Tx) -> tuple[DueCard | None, Sequence[Row]]:
            card = self._claim_card(tx, approval_id, address_key)
            return card, tx.connection.execute(_FACTS, {"id": approval_id}).all() if card else ()

        card, rows = await self.database.write(work)
        return replace(card, facts=_facts(approval_id, rows)) if card else None

    def _claim_card(self, tx: Tx, approval_id: str, address_key: str) -> DueCard | None:
        key = {"approval_id": approval_id, "address_key": address_key}
        before = tx.connection.execute(self._seen, key).one_or_none()
        values = {**key, "clock": micros(self.clock.now()), "lease": int(self.lease * 1_000_000), "yes": True}
        row = tx.connection.execute(self._claim, values).one_or_none()
        if row is None or before is None:
            return None
        address, wanted, shown, receipt, attempts = row
        place = _ADDRESS.validate_json(address)
        found = DueCard(approval_id, place, wanted, shown, receipt, bool(before[0]), attempts)
        _, _, number = address_key.partition(reminder_suffix(0)[:-1])
        if not number:
            return found
        card = tx.connection.execute(self._seen, {**key, "address_key": place.key}).one_or_none()
        return replace(found, reminder=int(number), card_receipt=card[1] if card else "")

    async def card_shown(self, card: DueCard, receipt: str) -> None:
        """The place shows what was wanted when the work was taken on; by now more may be."""
        await self._card(card, "shown = :wanted, receipt = :receipt, attempts = 0", receipt=receipt)

    async def card_failed(self, card: DueCard, delay: float | None) -> None:
        """It could not be shown; look again after `delay` seconds, or never when None."""
        if delay is None:
            await self._card(card, "shown = :wanted, attempts = attempts + 1")
            return
        not_before = micros(self.clock.now()) + int(delay * 1_000_000)
        await self._card(card, "attempts = attempts + 1, not_before = :not_before", not_before=not_before)

    async def card_held(self, card: DueCard, until: datetime) -> None:
        """It was not shown, and is not to be before then."""
        values = {"not_before": micros(until), "tried": card.tried}
        await self._card(card, "not_before = :not_before, tried = :tried", **values)

    async def _card(self, card: DueCard, sets: str, **values: int | str) -> None:
        statement = text(f"UPDATE card SET {sets}, lease_until = 0 WHERE approval_id = :id AND address_key = :key")
        row = {"id": card.approval_id, "key": card.key, "wanted": card.wanted, **values}
        await self.database.write(lambda tx: tx.connection.execute(statement, row).close())


def _rows(statement: TextClause, values: dict[str, str], connection: Connection) -> Sequence[Row]:
    return connection.execute(statement, values).all()


def _by_card(rows: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for card, *row in rows:
        found.setdefault(card, []).append(row)
    return found


def _facts(approval_id: str, rows: Sequence[Row]) -> ApprovalFacts | None:
    """What these rows say; None when there are none."""
    told: dict[str, list[Row]] = {}
    for row in rows:
        told.setdefault(row[0], []).append(row)
    if approval_id not in told:
        return None
    mates = tuple(_alone(each, its_own) for each, its_own in told.items() if each != approval_id)
    return replace(_alone(approval_id, told[approval_id]), mates=mates)


def _alone(approval_id: str, rows: Sequence[Row]) -> ApprovalFacts:
    events = [codec.entry(*row[2:]).event for row in rows]
    record = recorded(each for each in events if getattr(each, "approval_id", "") == approval_id)
    assert record is not None  # noqa: S101 - asked_seq points at nothing else
    return ApprovalFacts(approval_id, rows[0][1], record)
