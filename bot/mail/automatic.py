"""Whether a message was written by a person to us, or by a machine, a list or ourselves. First match wins.

Only a message for which this says None may start or continue a thread; the rest may at most update a delivery's state.
Sources: RFC 3834 (Auto-Submitted), RFC 3464 (delivery reports), RFC 8098 (read receipts), RFC 2919 and 2369 (lists),
Microsoft's X-Auto-Response-Suppress, and bug reports of help desks about the marks that those forget.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from bot.mail.email import Automatic, AutomaticKind, InboundEmail

INSTANCE_HEADER = "X-Twokey-Instance"
HOPS_HEADER = "X-Twokey-Hops"
MAX_HOPS = 3
MAX_RECEIVED = 50

_REPORTS = frozenset(
    {"multipart/report", "message/delivery-status", "message/disposition-notification", "message/feedback-report"}
)
_DAEMONS = re.compile(
    r"(?:mailer-daemon|mailerdaemon|mail-daemon|postmaster|mailer|mdaemon|mailsystem)(?:[+.=_-].{0,100})?"
)
_NOBODY = re.compile(
    r"(?:.{0,40}[._-])?(?:no[._-]?reply|do[._-]?not[._-]?reply|nicht[._-]antworten|ne[._-]pas[._-]repondre)(?:[._+-].{0,100})?"
    r"|bounces?(?:[+.=_-].{0,200})?|notifications?"
)
_MACHINE_FIELDS = (
    "x-autoreply",
    "x-autorespond",
    "x-autoresponder",
    "x-auto-reply-from",
    "x-mail-autoreply",
    "x-failed-recipients",
)
_BULK = frozenset({"bulk", "junk", "list", "auto_reply", "auto-reply", "autoreply"})
_SUPPRESSED = frozenset({"all", "autoreply", "oof", "dr"})
_LIST_FIELDS = ("list-id", "list-unsubscribe", "list-post", "feedback-id", "x-mailman-version")
# Last resort for senders that mark nothing; whole subjects or their beginnings only, never a word somewhere in it.
_SUBJECTS = re.compile(
    r"(?:undeliver(?:able|ed)|mail delivery (?:failed|failure|system|subsystem)|delivery status notification"
    r"|returned mail|failure notice|delivery (?:failure|has failed)|unzustellbar|non remis"
    r"|auto(?:matic|matically|mated)?[ -]?(?:reply|response|generated)\b|out of (?:the )?office|automatische antwort"
    r"|abwesenheit|réponse automatique|respuesta automática|risposta automatica|resposta automática"
    r"|automatisch antwoord"
    r"|自动回复|自動応答)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class OwnMail:
    """What our own mail is known by."""

    addresses: frozenset[str] = frozenset()
    """All our addresses in lower case; one with `+tag` counts as the address without it."""
    message_domain: str = ""
    """The domain part of our Message-IDs."""
    instance: str = ""
    """The value of our private header."""


def classify(mail: InboundEmail, own: OwnMail) -> Automatic | None:
    """Why `mail` is not a person's message to us, or None when it is."""
    for rule in _RULES:
        if found := rule(mail, own):
            return found
    return None


def base_address(address: str) -> str:
    """An address without its `+tag`, in lower case."""
    local, _, domain = address.lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def _own(mail: InboundEmail, own: OwnMail) -> Automatic | None:
    if own.instance and own.instance in mail.values(INSTANCE_HEADER):
        return Automatic(AutomaticKind.OWN, f"{INSTANCE_HEADER} is ours")
    if own.message_domain and mail.message_id.lower().endswith(f"@{own.message_domain.lower()}>"):
        return Automatic(AutomaticKind.OWN, "the Message-ID is ours")
    ours = {base_address(address) for address in own.addresses}
    if mail.sender and base_address(mail.sender.address) in ours:
        return Automatic(AutomaticKind.OWN, "From is our address")
    if mail.envelope_from and base_address(mail.envelope_from) in ours:
        return Automatic(AutomaticKind.OWN, "the envelope sender is our address")
    return None


def _bounce(mail: InboundEmail, _own: OwnMail) -> Automatic | None:
    if mail.envelope_from is not None and mail.envelope_from.strip("<> ") == "":
        return Automatic(AutomaticKind.BOUNCE, "the envelope sender is empty")
    if any(value.strip() == "<>" for value in mail.values("return-path")):
        return Automatic(AutomaticKind.BOUNCE, "the return path is empty")
    if report := next((kind for kind in mail.part_types if kind in _REPORTS), None):
        return Automatic(AutomaticKind.BOUNCE, f"it holds {report}")
    if _DAEMONS.fullmatch(_local(mail)):
        return Automatic(AutomaticKind.BOUNCE, "the sender is a mail system")
    return None


def _marked(mail: InboundEmail, _own: OwnMail) -> Automatic | None:
    for value in mail.values("auto-submitted"):
        word = re.split(r"[\s;(]", value.strip().lower(), maxsplit=1)[0]
        if word and word != "no":  # presence alone says nothing: "no" is a person
            return Automatic(AutomaticKind.AUTOMATIC, f"Auto-Submitted is {word[:40]}")
    for name in _MACHINE_FIELDS:
        if any(value.strip().lower() not in {"", "no", "false"} for value in mail.values(name)):
            return Automatic(AutomaticKind.AUTOMATIC, f"{name} is set")
    precedence = {value.strip().lower() for name in ("precedence", "x-precedence") for value in mail.values(name)}
    if bulk := precedence & _BULK:
        kind = AutomaticKind.LIST if bulk == {"list"} else AutomaticKind.AUTOMATIC
        return Automatic(kind, f"Precedence is {min(bulk)}")
    return _suppressing(mail)


def _suppressing(mail: InboundEmail) -> Automatic | None:
    words = {
        word.strip().lower() for value in mail.values("x-auto-response-suppress") for word in re.split("[,;]", value)
    }
    if found := words & _SUPPRESSED:
        return Automatic(AutomaticKind.AUTOMATIC, f"X-Auto-Response-Suppress holds {min(found)}")
    return None


def _listed(mail: InboundEmail, _own: OwnMail) -> Automatic | None:
    name = next((name for name in _LIST_FIELDS if mail.values(name)), None)
    return Automatic(AutomaticKind.LIST, f"{name} is set") if name else None


def _nobody(mail: InboundEmail, _own: OwnMail) -> Automatic | None:
    if _NOBODY.fullmatch(_local(mail)):
        return Automatic(AutomaticKind.NO_REPLY, "nobody reads answers to the sender")
    return None


def _subject(mail: InboundEmail, _own: OwnMail) -> Automatic | None:
    return Automatic(AutomaticKind.AUTOMATIC, "the subject is a machine's") if _SUBJECTS.match(mail.subject) else None


def _calendar(mail: InboundEmail, _own: OwnMail) -> Automatic | None:
    if mail.calendar_method in {"reply", "counter", "cancel"}:
        return Automatic(AutomaticKind.CALENDAR, f"a calendar answer ({mail.calendar_method})")
    return None


def _looping(mail: InboundEmail, _own: OwnMail) -> Automatic | None:
    if len(mail.values("received")) > MAX_RECEIVED:
        return Automatic(AutomaticKind.LOOP, f"more than {MAX_RECEIVED} Received fields")
    if hops(mail) > MAX_HOPS:
        return Automatic(AutomaticKind.LOOP, f"more than {MAX_HOPS} of our own answers in a row")
    return None


def hops(mail: InboundEmail) -> int:
    """How many answers of agents like us led to this mail, as the header tells; an answer to it carries one more."""
    return max((int(value) for value in mail.values(HOPS_HEADER) if re.fullmatch(r"[0-9]{1,4}", value)), default=0)


def _local(mail: InboundEmail) -> str:
    """The local part of From, also where From is not beyond doubt: to be taken for a machine needs no proof."""
    if mail.sender:
        return mail.sender.local
    found = re.search(
        r"<?([^\s<>@\"(),:;]{1,64})(?:@[^\s<>@]{1,253})?>?$|([^\s<>@\"]{1,64})@", mail.from_text.strip().lower()
    )
    return (found.group(1) or found.group(2) or "") if found else ""


_RULES: tuple[Callable[[InboundEmail, OwnMail], Automatic | None], ...] = (
    _own,
    _bounce,
    _marked,
    _listed,
    _nobody,
    _calendar,
    _looping,
    _subject,
)
