"""What is taken out is gone, the chain is whole, the thread still folds, and the log says who did it."""

import json
from collections.abc import Collection

import pytest
from sqlalchemy import text

from agent.context import turns
from agent.conversation import Identity
from agent.errors import Refused
from agent.events import TextRedacted
from agent.reducer import decide
from agent.state import ThreadState
from agent.thread import fold
from approvals import card
from store.approvals import ApprovalIndex
from store.database import Database
from store.export import facts
from store.redacting import Redacted, Redactor
from store.threads import Threads
from store.verify import Verifier
from tests.audited import GRACE, PLACE, SECRET, asked, done, tell
from tests.builders import ADA, AT, a_message, rules
from tests.fakes import FakeClock

OPERATOR = Identity(channel="cli", id="olga")


@pytest.fixture
async def threads(database: Database) -> Threads:
    """With a history, whose cards are shown."""
    found = Threads(database, FakeClock())
    await tell(found)
    await database.write(lambda tx: tx.connection.execute(text("UPDATE card SET shown = wanted")).close())
    return found


async def everything(database: Database) -> str:
    """Every text that the database holds."""
    tables = ("thread", "event", "approval", "card", "delivery", "landmark", "raw_mail")
    rows = [
        await database.read(lambda c, t=table: c.execute(text(f"SELECT * FROM {t}")).all())  # type: ignore[misc]  # noqa: S608 - names from this file
        for table in tables
    ]
    return repr(
        [[bytes(v).decode("latin-1") if isinstance(v, bytes | memoryview) else v for v in r] for t in rows for r in t]
    )


async def findings(database: Database) -> tuple[int, list[tuple[str, int, str]]]:
    found: list[tuple[str, int, str]] = []
    done = await Verifier(database, 4).run(lambda each: found.append((each.thread, each.seq, each.what)))
    return done.redacted, found


async def redact(threads: Threads, name: str, seqs: Collection[int] = ()) -> Redacted:
    return await Redactor(threads, OPERATOR, "asked for").thread(name, seqs)


async def test_a_redacted_thread_holds_no_personal_text_and_its_chain_is_whole(threads: Threads) -> None:
    for name in ("thr_a", "thr_b"):
        before = await everything(threads.database)
        assert (await redact(threads, name)).events >= 2
        assert before != await everything(threads.database)
    left = await everything(threads.database)
    for gone in ("4111", "Ada", "U0ADA", "U0DANA", "Grace", "customers.example>\r", "Not ours", "calc"):
        assert gone not in left, gone
    for stays in ("apr_1", "d1", "dana", "money", "refund", "olga", "asked for"):
        assert stays in left, stays
    assert await findings(threads.database) == (11, [])
    last = (await threads.entries("thr_a"))[-1].event
    assert isinstance(last, TextRedacted)
    assert last.by == OPERATOR


async def test_a_redacted_thread_folds_to_the_same_next_effect_and_its_cards_and_context_are_drawn(
    threads: Threads,
) -> None:
    def state_of(log: object) -> ThreadState:
        return fold(ThreadState("thr_a", PLACE, "support"), log)  # type: ignore[arg-type]  # entries

    before = decide(state_of(await threads.entries("thr_a")), rules())
    await redact(threads, "thr_a")
    state = state_of(await threads.entries("thr_a"))
    assert decide(state, rules()) == before
    assert SECRET not in repr(turns(state))
    shown = await ApprovalIndex(threads.database, threads.clock).facts("apr_1")
    assert shown is not None
    assert card.build(shown.thread_id, shown.record, lambda _: "").title == "[redacted]"
    await threads.take_in(PLACE, a_message("More"), keys=["slack:2"])
    await done(threads, "thr_a")
    assert (await findings(threads.database))[1] == []


async def test_single_events_and_twice_the_same(threads: Threads) -> None:
    assert await redact(threads, "thr_a", [1, 6]) == Redacted(2, 0)
    assert await redact(threads, "thr_a", [1]) == Redacted(0, 0)
    assert await findings(threads.database) == (2, [])
    assert "4111" in await everything(threads.database)
    assert (await redact(threads, "thr_a")).events > 5
    assert (await redact(threads, "thr_a")).events == 0
    assert (await findings(threads.database))[1] == []
    with pytest.raises(Refused, match="thr_a has no event 99"):
        await redact(threads, "thr_a", [99])
    with pytest.raises(Refused, match="there is no thread thr_z"):
        await redact(threads, "thr_z")


async def test_what_is_under_way_is_refused(threads: Threads) -> None:
    await threads.inform("thr_a", [asked("apr_3", "c3", AT)])
    await done(threads, "thr_a")
    before = await everything(threads.database)
    with pytest.raises(Refused, match="is at work, or waits for somebody"):
        await redact(threads, "thr_a")
    assert await everything(threads.database) == before


async def test_a_change_behind_a_redaction_is_told_from_it(threads: Threads) -> None:
    await redact(threads, "thr_a", [1, 3])
    await threads.database.write(
        lambda tx: tx.connection.execute(
            text("UPDATE event SET body = replace(body, 'money', 'funny') WHERE thread_id = 'thr_a' AND seq = 3")
        ).close()
    )
    assert await findings(threads.database) == (1, [("thr_a", 3, "changed")])


async def test_a_person_is_redacted_wherever_they_are_named(threads: Threads) -> None:
    redactor = Redactor(threads, OPERATOR)
    assert await redactor.person({"U0DANA"}) == {"thr_a": {3, 4, 8, 9}}
    assert await redactor.person({GRACE.id}) == {"thr_b": set()}
    assert await redactor.person({ADA.id}) == {"thr_a": set(), "thr_b": {2}}
    assert await redactor.person({"U0NOBODY"}) == {}
    for name, seqs in (await redactor.person({"U0DANA"})).items():
        await redactor.thread(name, seqs)
    assert await redactor.person({"U0DANA"}) == {}
    assert (await findings(threads.database))[1] == []


async def test_the_mail_as_it_came_in_goes_too(threads: Threads) -> None:
    assert (await redact(threads, "thr_b")).mails == 1
    assert "Hello" not in await everything(threads.database)


async def test_facts_tell_of_a_redacted_thread_what_is_left(threads: Threads) -> None:
    before = [each async for each in facts(threads.database) if each["thread"] == "thr_a"]
    await redact(threads, "thr_a")
    after = [each async for each in facts(threads.database) if each["thread"] == "thr_a"]
    assert [each["hash"] for each in after[:-1]] == [each["hash"] for each in before]
    assert after[-1]["kind"] == "text_redacted"
    assert after[-1]["person"] == "olga"
    decided = next(each for each in after if each["kind"] == "approval_decided")
    assert (decided["person"], decided["outcome"], decided["digest"]) == ("dana", "approved", "d1")
    assert "calc" not in json.dumps(after)
