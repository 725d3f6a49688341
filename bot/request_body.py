"""What is read of a request: its body, no further than its limit, so that a sender cannot fill our memory; and where it
came from, for the record."""

from ipaddress import ip_address

from fastapi import Request

from agent.errors import TwokeyError
from approvals.decision import Origin

MAX_BODY = 1024 * 1024


class BodyTooLarge(TwokeyError):
    """The request is larger than 1 MiB."""


async def read_body(request: Request, limit: int = MAX_BODY) -> bytes:
    """All of it. Raises BodyTooLarge as soon as that is known: from the declared length, or else while reading."""
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and (len(declared) > len(str(limit)) or int(declared) > limit):
        raise BodyTooLarge
    found = bytearray()
    async for chunk in request.stream():
        found += chunk
        if len(found) > limit:
            raise BodyTooLarge
    return bytes(found)


def origin(request: Request) -> Origin:
    """Where it came from. The address is the one that the server saw; of a trusted proxy, what that says, if it is one:
    it stands on record and in mails, and some proxies pass on whatever they are told."""
    address = _address(request.client.host) if request.client else ""
    return Origin(address=address, user_agent=request.headers.get("user-agent", ""))


def _address(text: str) -> str:
    """The IP address that it is, without its zone; empty for anything else."""
    try:
        return str(ip_address(text.partition("%")[0]))
    except ValueError:
        return ""
