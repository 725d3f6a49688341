"""What the model is shown: the thread's events, turned into turns (factor 3: own your context).

Rules:
- A result follows the answer that asked for it, whatever came in between; models insist on it.
- Text from people is fenced and named, and its fence cannot be forged from inside. Tool output travels in the
  provider's own frame for it.
- Errors are short: what went wrong and what can be done, never a traceback (factor 9).
- Pure: the same entries give the same turns.
"""

import json
import re
from collections.abc import Iterable, Mapping

from pydantic import JsonValue

from agent.conversation import Identity
from agent.entries import Entry
from agent.events import (
    ApprovalDecided,
    ApprovalRemarked,
    ApprovalRequested,
    MessageReceived,
    ModelResponded,
    ThreadCancelled,
    ToolFailed,
    ToolReturned,
)
from agent.ports import ModelTurn, ResultTurn, Turn, UserTurn
from agent.state import ThreadState
from agent.thread import IT_HAPPENED, STOP
from agent.verdict import Answered, Approved, Cancelled, Expired, Rejected

MAX_RESULT = 20_000
MAX_ERROR = 2_000
"""Characters of one result, and of one error, that the model is shown."""

_FENCE = re.compile(r"<(?=[\s/]{0,20}message)", re.IGNORECASE)

STILL_WAITING = "Waiting for a person's approval. It has not run."

_STOPPED = {"errors": "There were errors in a row.", "steps": "There were many steps without an end."}
"""By the bound that was reached. The question that people saw quotes the last error, which may be outsiders' words."""

CUT_ANSWER = "Your last answer was cut off or empty. Answer again, shorter, or call a tool."


def turns(state: ThreadState) -> tuple[Turn, ...]:
    """The thread as the model sees it."""
    return _turns(state, _results(state.entries))


def turns_for_remark(state: ThreadState, request: ApprovalRequested, remark: ApprovalRemarked) -> tuple[Turn, ...]:
    """The same while a call waits for people, one of whom asks something before deciding."""
    waiting = {name: STILL_WAITING for name, each in state.calls.items() if each.status not in {"started", "settled"}}
    who = _attribute(remark.by.identity.name or remark.by.person)
    question = (
        f"[{who} is asked to approve your call of {request.tool} and wants to know something first. Answer in a few "
        f"plain words, for a person. The call keeps waiting; you cannot call anything now.]\n"
        f"{_fence(remark.by.identity, remark.text)}"
    )
    return (*_turns(state, waiting | _results(state.entries)), UserTurn(question))


def _turns(state: ThreadState, results: Mapping[str, str]) -> tuple[Turn, ...]:
    answered = _taken_as_answer(state.entries)
    found: list[Turn] = []
    stopped = 0
    for entry in state.entries:
        match entry.event:
            case ThreadCancelled():
                stopped = entry.seq
            case MessageReceived() as event if event.delivery_id not in answered:
                found.append(UserTurn(fenced(event)))
            case ModelResponded() as event if event.seen >= stopped:
                found += _answer(event, results)
            case ApprovalDecided() as event if note := _trouble_note(event, state.entries):
                found.append(UserTurn(note))
            case _:
                pass
    return tuple(found)


def fenced(event: MessageReceived) -> str:
    """A message, marked as what it is: words of somebody, from somewhere."""
    files = "".join(f"\n[attachment: {a.name}, {a.media_type}, {a.size} bytes]" for a in event.attachments)
    subject = f"Subject: {event.mail.subject}\n" if event.mail and event.mail.subject else ""
    return _fence(event.sender, subject + event.text + files)


def _fence(sender: Identity, text: str) -> str:
    verified = "yes" if sender.verified else "no"
    head = f'<message from="{_attribute(sender.name or sender.id)}" channel="{sender.channel}" verified="{verified}">'
    return f"{head}\n{_without_fences(text)}\n</message>"


def _without_fences(text: str) -> str:
    """Models read `</MESSAGE>` and `< / message>` as the end of a fence, too."""
    return _FENCE.sub("&lt;", text)


def _attribute(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace("\n", " ")


def _answer(event: ModelResponded, results: Mapping[str, str]) -> Iterable[Turn]:
    cut = not event.calls and (event.stop == "length" or not event.text.strip())
    if event.text.strip() or event.calls:
        yield ModelTurn(event.text, event.calls, event.api, event.items)
    if cut and event.stop != "refusal":
        yield UserTurn(CUT_ANSWER)
    for call in event.calls:
        yield ResultTurn(call, results.get(call.id, "This call was not made."))


def _results(entries: Iterable[Entry]) -> dict[str, str]:
    """The text of each call's result, by call id."""
    found: dict[str, str] = {}
    asked: dict[str, ApprovalRequested] = {}
    changed: dict[str, str] = {}
    for entry in entries:
        match entry.event:
            case ToolReturned(call_id=call_id, result=result):
                found[call_id] = _cut(_text(result), MAX_RESULT) + changed.get(call_id, "")
            case ToolFailed(call_id=call_id, error=error):
                found[call_id] = f"Failed: {_cut(error, MAX_ERROR)}" + changed.get(call_id, "")
            case ApprovalRequested() as event:
                asked[event.approval_id] = event
            case ApprovalDecided() as event if (request := asked.get(event.approval_id)) and request.call_id:
                _decision(event, request, found, changed)
            case ThreadCancelled():
                for request in asked.values():
                    found.setdefault(request.call_id, "Cancelled: the work was stopped by a person. It did not run.")
            case _:
                pass
    return found


def _decision(
    event: ApprovalDecided, request: ApprovalRequested, found: dict[str, str], changed: dict[str, str]
) -> None:
    who = event.by.identity.name or event.by.person if event.by else "the policy"
    if not isinstance(event.decision, Approved):
        found[request.call_id] = _not_run(event.decision, request, who)
    elif event.decision.arguments is not None:
        changed[request.call_id] = (
            f"\n[{who} approved this with changed arguments, and it ran with these: {_text(event.decision.arguments)}. "
            "The call as you proposed it was not made; do not repeat it.]"
        )


def _not_run(decision: Rejected | Expired | Cancelled | Answered, request: ApprovalRequested, who: str) -> str:
    match decision:
        case Rejected(reason=reason):
            return f"Rejected by {who}. It did not run. Reason: {reason or 'none given'}"
        case Expired() | Cancelled() if request.about == "in_doubt":
            return "Unknown: it may or may not have happened, and nobody has said."
        case Expired():
            return "Expired: nobody decided in time. This is not a refusal. It did not run."
        case Cancelled(reason=reason):
            return f"Cancelled. It did not run. {reason}".strip()
        case Answered(text=text):
            if request.about == "call":
                return f"{who} did not let it run, and gave this in place of its result: {text}"
            return _in_doubt(text, who) if request.about == "in_doubt" else f"{who} answered: {text}"


def _in_doubt(answer: str, who: str) -> str:
    if answer == IT_HAPPENED:
        return f"It happened, says {who}; its result was lost in a restart."
    return f"Stopped by {who}. A restart left it unknown whether it happened. Do not try it again by yourself."


def _trouble_note(event: ApprovalDecided, entries: Iterable[Entry]) -> str:
    """What a person said when asked about errors in a row or too many steps."""
    if not isinstance(event.decision, Answered) or event.decision.text == STOP:
        return ""
    for entry in entries:
        request = entry.event
        if isinstance(request, ApprovalRequested) and request.approval_id == event.approval_id:
            if request.about != "trouble":
                return ""
            if event.by is None:
                return ""
            who = _attribute(event.by.identity.name or event.by.person)
            answer = _fence(event.by.identity, event.decision.text)
            return f"[{_STOPPED.get(request.rule, 'The work had stopped.')} {who} was asked, and answered:]\n{answer}"
    return ""


def _taken_as_answer(entries: Iterable[Entry]) -> set[str]:
    return {
        entry.event.decision.delivery_id
        for entry in entries
        if isinstance(entry.event, ApprovalDecided) and isinstance(entry.event.decision, Answered)
    } - {""}


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}\n[cut: {len(text) - limit} more characters]"
