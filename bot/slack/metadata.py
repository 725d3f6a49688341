"""What a modal carries along in Slack's `private_metadata`. Pure.

The approval's id, where the card stands and which digest was shown; of a grant that is about to be given, its terms.
Whatever else is decided on is read from the log again when the modal comes back.
"""

import json
from dataclasses import dataclass, field

from agent.conversation import JsonObject
from bot.slack.interactions import Place
from bot.slack.payloads import an_object, text_at


@dataclass(frozen=True, slots=True)
class Carried:
    """What was carried."""

    approval_id: str
    place: Place
    shown: str = ""
    """Digest of what was shown, of a plan its stamp."""
    terms: JsonObject = field(default_factory=dict)
    """Of a grant."""


def written(carried: Carried) -> str:
    """For Slack to keep: at most 3,000 characters."""
    place = carried.place
    found = {"approval": carried.approval_id, "channel": place.channel, "ts": place.ts, "thread_ts": place.thread_ts}
    whole: JsonObject = {**found, "shown": carried.shown, **({"terms": carried.terms} if carried.terms else {})}
    return json.dumps(whole, ensure_ascii=False)


def read(text: str) -> Carried | None:
    """What `written` wrote, by this version or an older one; None for anything else."""
    try:
        found: JsonObject = an_object(json.loads(text))
    except ValueError:
        return None
    parts = [found.get(key) for key in ("approval", "channel", "ts", "thread_ts")]
    texts = [each for each in parts if isinstance(each, str)]
    if len(texts) != len(parts) or not texts[0]:
        return None
    return Carried(texts[0], Place(*texts[1:]), text_at(found, "shown"), an_object(found.get("terms")))
