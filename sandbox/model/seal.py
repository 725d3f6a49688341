"""Reasoning items: sealed on the way out, opened on the way back, and demanded beside the calls they led to. Pure.

OpenAI keeps nothing when `store` is false; the client carries `encrypted_content` and must send it back unchanged.
The seal here is a checksum, not a secret: it shows tampering and loss, and it says who wrote it.
"""

import base64
import hashlib
import json
from typing import Final

from sandbox.model.ask import Called, Item, Thought
from sandbox.model.refused import Refused

_MARK: Final = "sandbox-sealed."
BOUND: Final = "call_r_"
"""How the id of a call begins that must come back together with its reasoning item."""


def seal(thought: Thought) -> str:
    """The `encrypted_content` of a reasoning item."""
    body = base64.urlsafe_b64encode(json.dumps([thought.id, *thought.call_ids]).encode()).decode()
    return f"{_MARK}{body}.{_sum(body)}"


def unseal(text: str, item_id: str) -> Thought:
    """The item again; refuses what was changed on the way."""
    body, _, tag = text.removeprefix(_MARK).rpartition(".")
    if not text.startswith(_MARK) or tag != _sum(body):
        raise Refused(
            f"The encrypted content for item {item_id} could not be verified.", "input", "invalid_encrypted_content"
        )
    found, *calls = json.loads(base64.urlsafe_b64decode(body))
    if found != item_id:
        raise Refused(
            f"The encrypted content belongs to {found}, not to {item_id}.", "input", "invalid_encrypted_content"
        )
    return Thought(found, tuple(calls))


def demand_reasoning(items: tuple[Item, ...]) -> None:
    """Refuse a call that came back without the reasoning item which led to it."""
    covered: set[str] = set()
    for item in items:
        if isinstance(item, Thought):
            covered |= set(item.call_ids)
        if isinstance(item, Called) and item.call_id.startswith(BOUND) and item.call_id not in covered:
            raise Refused(
                f"Item '{item.call_id}' of type 'function_call' was provided without its required 'reasoning' item.",
                "input",
            )


def _sum(body: str) -> str:
    return hashlib.sha256(b"sandbox-rules-1:" + body.encode()).hexdigest()[:32]
