"""What the page is shown of the cast and of the mail, as JSON. Pure."""

import re
from email.utils import parseaddr
from typing import Any, Final

from sandbox import cast
from sandbox.mail import Delivery, Letter

Json = dict[str, Any]

_DMARC: Final = re.compile(r"\bdmarc=(\w+)")


def cast_shown(model: str, *, scripted: bool) -> Json:
    """Who and what there is."""
    return {
        "team": cast.TEAM_NAME,
        "bot": {"slack": cast.BOT_USER, "name": cast.BOT_NAME},
        "agent": cast.AGENT_ADDRESS,
        "model": {"name": model, "scripted": scripted},
        "places": [{"id": place.id, "name": place.name, "topic": place.topic} for place in cast.PLACES],
        "people": [
            {
                "id": person.id,
                "name": person.name,
                "title": person.title,
                "email": person.email,
                "slack": person.slack,
                "approver": person.approver,
            }
            for person in cast.PEOPLE
        ],
    }


def letter_shown(letter: Letter) -> Json:
    """One mail."""
    message = letter.message
    name, address = parseaddr(str(message["From"] or ""))
    to_name, to_address = parseaddr(str(message["To"] or ""))
    results = _DMARC.search(str(message["Authentication-Results"] or ""))
    return {
        "id": letter.id,
        "mailbox": letter.mailbox,
        "folder": letter.folder,
        "at": letter.at,
        "message_id": letter.message_id,
        "from": address,
        "from_name": name or _name_of(address),
        "to": ", ".join(letter.envelope_to),
        "to_name": to_name or _name_of(to_address),
        "reply_to": parseaddr(str(message["Reply-To"] or ""))[1],
        "subject": letter.subject,
        "text": letter.text,
        "html": letter.html,
        "dmarc": results[1] if results else "",
        "attachments": [part.get_filename() or "unnamed" for part in message.iter_attachments()],
    }


def delivery_shown(delivery: Delivery) -> Json:
    """How the handing over of one mail to the agent stands."""
    return {
        "letter": delivery.message_id,
        "attempts": delivery.attempts,
        "status": delivery.status,
        "done": delivery.done,
    }


def mentions_made(text: str) -> str:
    """What a person typed, with `@Name` turned into Slack's mention, as Slack's client does."""
    known = {cast.BOT_NAME: cast.BOT_USER}
    known |= {person.first_name: person.slack for person in cast.PEOPLE if person.slack}
    names = "|".join(re.escape(name) for name in known)
    return re.sub(rf"(?<![\w<])@({names})\b", lambda match: f"<@{known[match[1]]}>", text)


def _name_of(address: str) -> str:
    if address.partition("+")[0] == cast.AGENT_ADDRESS.partition("@")[0] or address == cast.AGENT_ADDRESS:
        return cast.BOT_NAME
    try:
        return cast.person_of(address).name
    except KeyError:
        return address
