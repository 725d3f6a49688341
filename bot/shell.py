"""What the one-off commands do, on the same store and rules as a running process, and how it reads on a terminal."""

import json
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TypeVar

from agent.conversation import Identity, JsonObject
from agent.entries import Entry
from agent.errors import ConfigError, Refused
from approvals.card import Card
from approvals.decision import Answer, Approve, Choice, Reject
from approvals.people import Person, token_digest
from bot.approval_texts import in_short, spelt_out
from bot.personal import Personal
from bot.service import Service
from bot.settings import Settings
from bot.wiring import build
from store import schema
from store.approvals import ApprovalFacts
from store.connect import connect
from store.retention import Purged, Retention
from store.threads import Threads

T = TypeVar("T")

YOUNGEST = timedelta(days=7)
"""Catching up after an outage compares with the names of a day, and with the threads of a week."""
DIGEST_LEAST = 8
"""Characters of a digest that say which one is meant."""
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


@dataclass(frozen=True)
class Desk:
    """The store as a command sees it."""

    service: Service

    @property
    def threads(self) -> Threads:
        """All threads."""
        return self.service.threads

    async def entries(self, thread_id: str) -> tuple[Entry, ...]:
        """The log of a thread. Raises Refused when there is no such."""
        entries = await self.threads.entries(thread_id)
        if not entries:
            raise Refused(f"there is no thread {thread_id}; see: twokey threads list")
        return entries

    async def cancel(self, thread_id: str, reason: str) -> None:
        """Stop the work on it."""
        await self.entries(thread_id)
        await self.service.inbox.cancel_thread(thread_id, Identity(channel="cli", id=self.me().id), reason)

    async def revive(self, thread_id: str) -> None:
        """Have a stalled thread tried again. Raises Refused for one that is not."""
        await self.entries(thread_id)
        if not await self.threads.revive(thread_id):
            raise Refused(f"{thread_id} is not stalled: it is {await self.threads.status(thread_id)}")

    async def purge(self, age: timedelta, *, threads: bool, dry_run: bool) -> Purged:
        """Delete what is older than that; only count it when it is a dry run."""
        now, kept = self.service.clock.now(), timedelta(days=self.service.settings.audit_log_retention_days)
        retention, before = Retention(self.service.database, audited=now - kept), now - age
        return await (retention.count if dry_run else retention.purge)(before, threads=threads)

    async def cards(self, *, open_only: bool, mine: bool = False) -> list[Card]:
        """Approvals as cards; those that wait for whoever the token is of, and that they had a say in, when only these
        are wanted."""
        if not mine:
            return [await self.card(each) for each in await self.service.index.listed(open_only=open_only)]
        personal, me = Personal(self.service.gate, self.service.index), self.me()
        found = (await personal.pending(me)).cards + (() if open_only else await personal.decided(me))
        return list({card.approval_id: card for card in found}.values())

    async def card(self, approval_id: str) -> Card:
        """One approval. Raises Refused when there is no such."""
        return self.service.gate.card(await self._facts(approval_id))

    async def _facts(self, approval_id: str) -> ApprovalFacts:
        facts = await self.service.index.facts(approval_id)
        if facts is None:
            raise Refused(f"there is no approval {approval_id}; see: twokey approvals list")
        return facts

    async def approve(
        self,
        approval_ids: Sequence[str],
        arguments: str = "",
        *,
        whole_plan: bool = False,
        digest: str = "",
    ) -> list[Card]:
        """Yes to what each card shows, all at once; or, to one, with these arguments, or only if this is how its digest
        begins. Raises Refused."""
        changed = json_object(arguments) if arguments else None
        found = await self._chosen(approval_ids, whole_plan=whole_plan)
        if changed is not None and len(found) > 1:
            raise Refused("--arguments changes one call; approve it by itself")
        if digest:
            _check_shown(digest, found)
        return await self.decide({each.approval_id: Approve(each.digest, changed) for each in found})

    async def reject(self, approval_ids: Sequence[str], reason: str, *, whole_plan: bool = False) -> list[Card]:
        """No to each, all at once."""
        found = await self._chosen(approval_ids, whole_plan=whole_plan)
        return await self.decide({each.approval_id: Reject(reason) for each in found})

    async def answer(self, approval_id: str, text: str) -> list[Card]:
        """Words: for a question, or in place of a call's result."""
        return await self.decide({approval_id: Answer(text)})

    async def ask(self, approval_id: str, text: str) -> Card:
        """Ask the agent about a call that waits, without deciding."""
        return await self.service.gate.remark(approval_id, text, self.identity(), "cli")

    async def _chosen(self, approval_ids: Sequence[str], *, whole_plan: bool) -> list[Card]:
        """Those approvals; with the whole plan, the open ones of the plan that each of them is of."""
        found: dict[str, Card] = {}
        for approval_id in approval_ids:
            facts = await self._facts(approval_id)
            found[approval_id] = card = self.service.gate.card(facts)
            if whole_plan:
                first = await self.card(facts.request.plan) if facts.request.plan else card
                found |= {each.approval_id: each for each in first.waiting}
        return list(found.values())

    async def decide(self, choices: Mapping[str, Choice]) -> list[Card]:
        """Have the say of whoever types, all at once. Raises Refused."""
        try:
            await self.service.gate.decide_plan(choices, self.identity(), "cli")
        except ValueError:
            raise Refused("these approvals are of different threads; decide each by itself") from None
        return [await self.card(each) for each in choices]

    def identity(self) -> Identity:
        """Whoever the token says, as the command line knows them."""
        return self.me().identity("cli")

    async def inbox_link(self) -> str:
        """Where whoever types signs in to the inbox. Raises Refused and ConfigError."""
        if not self.service.settings.secret_keys:
            raise ConfigError("SECRET_KEY: missing; it signs links")
        link = await self.service.sign_in.link(self.me(), asked_by="themselves")
        if link is None:
            raise Refused("a service does not sign in, and nobody more than four times in a quarter of an hour")
        return link

    def me(self) -> Person:
        """Whoever the token says, never whoever the caller claims to be."""
        token = self.service.settings.twokey_token
        person = self.service.deployment.directory.by_token(token.get_secret_value()) if token else None
        if person is None:
            raise ConfigError(
                "TWOKEY_TOKEN: must be the token of somebody in people.yaml; make one with: twokey admin token"
            )
        return person


def _check_shown(digest: str, found: Sequence[Card]) -> None:
    if len(found) != 1 or len(digest) < DIGEST_LEAST:
        raise Refused(f"--digest goes with one approval, and has at least {DIGEST_LEAST} characters")
    if not found[0].digest.startswith(digest):
        raise Refused("what would run is no longer what was shown; look at it again: twokey approvals show")


async def on_store(settings: Settings, work: Callable[[Desk], Awaitable[T]]) -> T:
    """Do it on the store of these settings, beside whatever process works on it."""
    service = build(settings)
    try:
        await schema.require(service.database)
        return await work(Desk(service))
    finally:
        await service.database.aclose()


async def migrate(settings: Settings) -> tuple[str | None, str]:
    """Bring the schema up to date; the versions before and after."""
    database = connect(settings.database_url.get_secret_value())
    try:
        return await schema.migrate(database)
    finally:
        await database.aclose()


def age(text: str) -> timedelta:
    """A number of hours, days or weeks. Raises ConfigError for anything else, and for what may be needed yet."""
    number, unit = text[:-1], _UNITS.get(text[-1:])
    if unit is None or not (number.isascii() and number.isdigit()) or len(number) > 5:  # noqa: PLR2004 - 190 years
        raise ConfigError("--older-than: must be a whole number of hours, days or weeks, such as 90d, 12w or 720h")
    found = int(number) * unit
    if found < YOUNGEST:
        raise ConfigError(f"--older-than: at least {YOUNGEST.days}d; younger names still keep messages apart")
    return found


def purged_text(gone: Purged, *, dry_run: bool) -> str:
    """What went, a line a kind."""
    head = "would delete" if dry_run else "deleted"
    return "\n".join(f"{head} {number} {name}" for name, number in asdict(gone).items())


def new_token() -> tuple[str, str]:
    """A token, and its digest for people.yaml."""
    token = f"tk_{secrets.token_urlsafe(32)}"
    return token, token_digest(token)


def json_object(text: str) -> JsonObject:
    """Arguments as somebody types them. Raises Refused."""
    try:
        found = json.loads(text)
    except ValueError as error:
        raise Refused(f"--arguments is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise Refused("--arguments must be a JSON object")
    return found


# --- how it reads ---------------------------------------------------------------------------------------------------


def thread_table(rows: Sequence[dict[str, object]]) -> str:
    """A line a thread."""
    lines = [f"{'THREAD':26}{'AGENT':14}{'STATE':12}{'EVENTS':>6}  WHERE"]
    for row in rows:
        place = row["conversation"]
        where = spelt_out(" ".join(str(each) for each in place.values())) if isinstance(place, dict) else ""
        waits = row["waiting"] and row["status"] == "active"
        state = f"{row['waiting']} waiting" if waits else str(row["status"])
        lines.append(f"{row['id']!s:26}{row['agent']!s:14}{state:12}{row['last_seq']!s:>6}  {where}")
    return "\n".join(lines)


def entries_text(entries: Sequence[Entry]) -> str:
    """An event a line, with what it says."""
    lines = []
    for entry in entries:
        values = entry.event.model_dump(mode="json", exclude={"kind", "at", "v"}, exclude_defaults=True)
        said = "  ".join(f"{name}={in_short(value)}" for name, value in values.items())
        lines.append(f"{entry.seq:>4}  {entry.event.at:%Y-%m-%d %H:%M:%S}  {entry.event.kind:20}{said}")
    return "\n".join(lines)


def entries_json(entries: Sequence[Entry]) -> str:
    """The events as a JSON list."""
    return json.dumps([{"seq": each.seq, **each.event.model_dump(mode="json")} for each in entries], indent=1)
