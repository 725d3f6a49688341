"""A script inside a message, for tests: it makes the model give exactly the answers that it lists, in order. Pure.

`[[script {"steps": [...]}]]` in any message. A step is `{"say": "..."}`, `{"call": [{"name": ..., "arguments": ...}]}`
(arguments an object, or a string to be sent as it is), both together, `{"refuse": "..."}` or `{"length": "..."}`. It
may also hold `"reasoning": "..."` and `"faults": [{"status": 429, "retry_after": "1"}, ...]`, one for each attempt
before the answer. Which step is next is told from the conversation: each request that differs from those before is one
step on, and a repeated one gets the same step again. When the steps are used up the rules take over.
"""

import json
from dataclasses import dataclass
from typing import Final

from sandbox.model.answer import Answer, Call
from sandbox.model.ask import Ask, Called, Returned, Said, Thought
from sandbox.model.faults import fault_of
from sandbox.model.refused import Json, Refused

_OPEN: Final = "[[script "
_STEP: Final = {"say", "call", "refuse", "length", "reasoning", "faults"}


@dataclass(frozen=True, slots=True)
class Script:
    """The steps, and the words that tell this script from another."""

    steps: tuple[Answer, ...]
    key: str


def script(*steps: Json, name: str = "") -> str:
    """The text to put into a message. `name` keeps two conversations with the same words apart."""
    return f"{_OPEN}{json.dumps({'name': name, 'steps': list(steps)})}]]"


def script_in(ask: Ask) -> Script | None:
    """The newest script of the conversation, if there is any; Refused when it cannot be read."""
    texts = [item.text for item in ask.items if isinstance(item, Said) and item.role != "assistant"]
    for n in range(len(texts) - 1, -1, -1):
        start = texts[n].rfind(_OPEN)
        if start >= 0:
            return _read(texts[n][start + len(_OPEN) :], "\n".join(texts[: n + 1]))
    return None


def fingerprint(ask: Ask) -> str:
    """The conversation in a form in which two requests compare: without ids, which no two runs share."""
    numbers: dict[str, int] = {}
    shown: list[tuple[str, ...]] = []
    for item in ask.items:
        match item:
            case Said(role=role, text=text) if role != "system":
                shown.append((role, text))
            case Called(call_id=key, name=name, arguments=arguments):
                shown.append(("call", str(numbers.setdefault(key, len(numbers))), name, arguments))
            case Returned(call_id=key, output=output):
                shown.append(("result", str(numbers.setdefault(key, len(numbers))), output))
            case Said() | Thought():
                pass
    return json.dumps(shown)


def _read(text: str, before: str) -> Script:
    try:
        raw, end = json.JSONDecoder().raw_decode(text)
        if not text[end:].startswith("]]"):
            raise ValueError("a script ends with ]]")  # noqa: TRY301 - one place turns all of them into a refusal
        steps = tuple(_step(step) for step in raw["steps"])
    except (ValueError, KeyError, TypeError) as wrong:
        raise Refused(f"The sandbox's script cannot be read: {wrong!r}", "input") from wrong
    return Script(steps, raw.get("name") or before)


def _step(raw: Json) -> Answer:
    if not raw or set(raw) - _STEP:
        raise ValueError(f"a step holds {sorted(_STEP)}, not {sorted(raw)}")
    faults = tuple(fault_of(fault) for fault in raw.get("faults", ()))  # type: ignore[attr-defined]  # a bad one raises
    calls = tuple(_call(call) for call in raw.get("call", ()))  # type: ignore[attr-defined]  # a bad one raises
    reasoning = str(raw.get("reasoning", ""))
    for stop in ("refuse", "length"):
        if stop in raw:
            end = "refusal" if stop == "refuse" else "length"
            return Answer(str(raw[stop]), calls, end, reasoning, faults)  # type: ignore[arg-type]  # one of the two
    return Answer(str(raw.get("say", "")), calls, "end", reasoning, faults)


def _call(raw: Json) -> Call:
    arguments = raw.get("arguments", {})
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return Call(str(raw["name"]), text, str(raw.get("id", "")))
