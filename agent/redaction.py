"""What stays of an event when personal text is taken out of it. Pure.

Names, addresses, words, arguments, results and errors go. What stays is what the thread still folds by and what an
auditor still needs: kinds, moments, ids, digests, tools, rules, outcomes, counts, and the ids of people in people.yaml
(they are the deployment's own pseudonyms; without them the log would no longer say who decided). The rule is the other
way round from a list of what to remove: a field that is not known to be harmless is taken out, so that a new kind of
event needs no change here to be safe.
"""

from typing import Literal, TypeVar, get_origin

from pydantic import JsonValue
from pydantic.fields import FieldInfo

from agent.conversation import AttachmentNote, Identity, MailHeaders, SlackUser, Value
from agent.events import Event, PromptStamp, ToolCall
from agent.thread import IT_HAPPENED, RUN_AGAIN, STOP, TRY_AGAIN

MARK = "[redacted]"
"""What stands where text was."""

KEPT = frozenset(
    {
        *("id", "kind", "tool", "rule", "digest", "timer", "limit", "model", "person", "people", "role", "roles"),
        *("receipts", "team", "channel", "thread_ts", "channel_kind", "outcome", "plan", "requester", "given_by"),
    }
)
"""Names of fields whose words stay: ids of ours and of people.yaml, and names out of the deployment's files. So do
those that end in `_id` or `_digest`, and those with a fixed set of values."""
KEPT_IN: dict[type[Value], frozenset[str]] = {
    ToolCall: frozenset({"provider_id", "name"}),
    PromptStamp: frozenset({"name", "version"}),
    MailHeaders: frozenset({"message_id"}),
    AttachmentNote: frozenset({"media_type"}),
}
"""And only there."""
TAKEN_IN: dict[type[Value], frozenset[str]] = {Identity: frozenset({"id"}), SlackUser: frozenset({"team", "user"})}
"""Not there: what a channel calls somebody."""
FIXED = frozenset({RUN_AGAIN, IT_HAPPENED, STOP, TRY_AGAIN})
"""Answers that we ourselves offer: the thread folds by them, and they are nobody's words."""

V = TypeVar("V", bound=Value)


def redacted(event: Event) -> Event:
    """The event without personal text; equal to what was given when there was none."""
    return _value(event)


def _value(value: V) -> V:
    kept = (KEPT | KEPT_IN.get(type(value), frozenset())) - TAKEN_IN.get(type(value), frozenset())
    changes: dict[str, object] = {}
    for name, field in type(value).model_fields.items():
        found = getattr(value, name)
        is_kept = name in kept or name.endswith(("_id", "_digest"))
        if not is_kept or isinstance(found, Value):
            changes[name] = _field(field, found)
    return value.model_copy(update=changes)


def _field(field: FieldInfo, value: object) -> object:
    if get_origin(field.annotation) is Literal:
        return value
    if field.annotation == JsonValue:
        return value if value is None else MARK
    return _any(value)


def _any(value: object) -> object:
    match value:
        case Value():
            return _value(value)
        case str():
            return value if not value.strip() or value in FIXED else MARK
        case dict():
            return {}
        case tuple():  # words and objects are left out; how many there were is nobody's business
            return tuple(
                _any(each) for each in value if isinstance(each, Value) or (isinstance(each, str) and each in FIXED)
            )
        case _:
            return value
