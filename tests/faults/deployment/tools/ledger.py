"""Tools whose every start and end is a line in a file, synced before anything else happens: what really was done.

None of them looks whether it has run before under the same key. That a call does not run twice is the engine's to see
to, and the file tells whether it did. A line is JSON: the key, the tool, the order, the phase, and the machine's
monotonic clock, which all processes share.
"""

import json
import os
import random
import time
from pathlib import Path

from pydantic import JsonValue

from agent.tool import ToolContext, tool

LEDGER = Path(__file__).with_name("ledger.jsonl")
LONGEST = 0.08
"""Seconds that an effect may take; most are much shorter."""


def _note(name: str, order: str, context: ToolContext, phase: str) -> None:
    line = {"key": context.idempotency_key, "tool": name, "order": order, "phase": phase, "at": time.monotonic_ns()}
    file = os.open(LEDGER, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(file, json.dumps(line).encode() + b"\n")
        os.fsync(file)
    finally:
        os.close(file)


def _done(name: str, order: str, context: ToolContext) -> dict[str, JsonValue]:
    _note(name, order, context, "start")
    time.sleep(random.random() ** 3 * LONGEST)  # noqa: S311 - how long it takes, no secret
    _note(name, order, context, "end")
    return {"done": name, "order": order}


@tool(effect="read")
def look(order: str) -> dict[str, JsonValue]:
    """Look at an order. Changes nothing."""
    time.sleep(random.random() ** 3 * LONGEST)  # noqa: S311 - as above
    return {"order": order, "state": "there"}


@tool(time_limit=20)
def charge(order: str, amount: int, context: ToolContext) -> dict[str, JsonValue]:
    """Take money. A lead has to approve."""
    return {**_done("charge", order, context), "amount": amount}


@tool(time_limit=20)
def wire(order: str, amount: int, context: ToolContext) -> dict[str, JsonValue]:
    """Send money. Finance has to approve."""
    return {**_done("wire", order, context), "amount": amount}


@tool(time_limit=20)
def lapse(order: str, context: ToolContext) -> dict[str, JsonValue]:
    """Something that is asked about for a moment only."""
    return _done("lapse", order, context)


@tool(time_limit=20)
def jot(order: str, context: ToolContext) -> dict[str, JsonValue]:
    """Write something down. Needs nobody, and must not be done twice."""
    return _done("jot", order, context)


@tool(idempotent=True, time_limit=20)
def stamp(order: str, context: ToolContext) -> dict[str, JsonValue]:
    """Stamp an order. Doing it again does no harm."""
    return _done("stamp", order, context)


@tool(time_limit=20)
def stumble(order: str, context: ToolContext) -> dict[str, JsonValue]:
    """Do something, and then fail."""
    _done("stumble", order, context)
    raise RuntimeError("it was done, and then the line went dead")
