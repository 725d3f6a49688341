"""How many events a second the audit log is verified and exported at, and in how much memory.

    python benchmarks/audit.py sqlite+aiosqlite:////some/new.db 20000

The second word is the number of threads of eleven events each; the database is made, and should not be there.
"""

import asyncio
import json
import resource
import sys
import time
from dataclasses import asdict

from sqlalchemy import text

from agent.events import Event
from store import codec, schema
from store.connect import connect
from store.database import Database, Tx
from store.export import facts
from store.projection import project
from store.statements import CREATE, GROW, INSERT
from store.verify import Verifier
from tests.audited import story
from tests.builders import a_message

TOGETHER = 500


def _thread(tx: Tx, number: int) -> None:
    name = f"thr_{number:08d}"
    events: list[Event] = [
        each.model_copy(update={"approval_id": f"{found}_{number}"})
        if (found := getattr(each, "approval_id", ""))
        else each
        for each in (a_message("Please refund order 1042. " * 8), *story())
    ]
    links = codec.chained(events, 0, codec.genesis(name))
    row = {"id": name, "key": name, "conversation": "{}", "agent": "a", "at": 0, "head": codec.genesis(name)}
    tx.connection.execute(CREATE, row)
    tx.connection.execute(GROW, {"id": name, "seq": links[-1].seq, "head": links[-1].hash})
    tx.connection.execute(INSERT, [{"thread_id": name, **asdict(link)} for link in links])
    project(tx, name, [(link.seq, event) for link, event in zip(links, events, strict=True)])


def _threads(tx: Tx, first: int, count: int) -> None:
    for number in range(first, first + count):
        _thread(tx, number)


async def _fill(database: Database, count: int) -> None:
    await schema.migrate(database)
    for first in range(0, count, TOGETHER):
        await database.write(lambda tx, first=first: _threads(tx, first, min(TOGETHER, count - first)))
    await database.write(lambda tx: tx.connection.execute(text("ANALYZE")).close())


def _mebibytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


async def main(url: str, count: int) -> None:
    """Print a JSON object."""
    database = connect(url)
    await _fill(database, count)
    before, began = _mebibytes(), time.monotonic()
    verified = await Verifier(database).run(print)
    middle = time.monotonic()
    exported = sum([1 async for _ in facts(database)])
    ended = time.monotonic()
    found = {
        "events": verified.events,
        "findings": verified.findings,
        "verified_a_second": round(verified.events / (middle - began)),
        "facts": exported,
        "exported_a_second": round(exported / (ended - middle)),
        "mebibytes_before": before,
        "mebibytes_after": _mebibytes(),
    }
    print(json.dumps(found))
    await database.aclose()


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
