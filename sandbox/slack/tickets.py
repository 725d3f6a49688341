"""What Slack hands out for a short while: trigger ids, response URLs, upload URLs, socket tickets. No I/O."""

from dataclasses import dataclass, field, replace
from typing import Final

from sandbox.slack import limits
from sandbox.slack.messages import Clock, IdMaker
from sandbox.slack.refused import Json, Refused


@dataclass(frozen=True, slots=True)
class Trigger:
    """Leave to open one modal for one person."""

    user: str
    team_id: str
    made: float
    used: bool = False


@dataclass(frozen=True, slots=True)
class ResponseUrl:
    """Leave to answer one interaction a few times."""

    channel: str
    user: str
    team_id: str
    made: float
    message_ts: str = ""
    thread_ts: str = ""
    uses: int = 0


@dataclass(frozen=True, slots=True)
class Upload:
    """A file on its way in, then a file."""

    id: str
    name: str
    length: int
    title: str = ""
    content: bytes = b""
    mimetype: str = "application/octet-stream"
    complete: bool = False

    def as_json(self, base_url: str, user: str) -> Json:
        """The file object."""
        private = f"{base_url}/files-pri/{self.id}/{self.name}"
        return {
            "id": self.id,
            "name": self.name,
            "title": self.title or self.name,
            "mimetype": self.mimetype,
            "size": len(self.content),
            "user": user,
            "mode": "hosted",
            "url_private": private,
            "url_private_download": private,
        }


_UNKNOWN_TRIGGER: Final = "invalid_trigger_id"


@dataclass
class Tickets:
    """All that were handed out, by their secret."""

    clock: Clock
    ids: IdMaker
    triggers: dict[str, Trigger] = field(default_factory=dict)
    response_urls: dict[str, ResponseUrl] = field(default_factory=dict)
    files: dict[str, Upload] = field(default_factory=dict)
    sockets: set[str] = field(default_factory=set)

    def trigger(self, user: str, team_id: str) -> str:
        """A fresh trigger id."""
        number = f"{len(self.triggers) + 1}.{int(self.clock())}.{self.ids('t')}"
        self.triggers[number] = Trigger(user, team_id, self.clock())
        return number

    def exchange(self, trigger_id: str) -> Trigger:
        """Use a trigger id; raises Refused when it is unknown, used or older than three seconds."""
        trigger = self.triggers.get(trigger_id)
        if trigger is None:
            raise Refused(_UNKNOWN_TRIGGER)
        if trigger.used:
            raise Refused("exchanged_trigger_id")
        if self.clock() - trigger.made > limits.TRIGGER_LIFE:
            raise Refused("expired_trigger_id")
        self.triggers[trigger_id] = replace(trigger, used=True)
        return trigger

    def response_url(self, url: ResponseUrl) -> str:
        """The secret of a fresh response URL."""
        secret = self.ids("r")
        self.response_urls[secret] = url
        return secret

    def answer_with(self, secret: str) -> ResponseUrl:
        """Use a response URL; raises Refused the sixth time and after half an hour."""
        url = self.response_urls.get(secret)
        if url is None or self.clock() - url.made > limits.RESPONSE_URL_LIFE:
            raise Refused("expired_url")
        if url.uses >= limits.RESPONSE_URL_USES:
            raise Refused("used_url")
        self.response_urls[secret] = replace(url, uses=url.uses + 1)
        return url

    def socket(self) -> str:
        """A ticket for one WebSocket connection."""
        ticket = self.ids("s")
        self.sockets.add(ticket)
        return ticket
