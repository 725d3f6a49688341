"""What a mail provider writes on top of a mail that comes in: where it was received and what was checked. Pure.

RFC 8601: the results of the checks stand in `Authentication-Results` under the provider's own name, and whatever came
from outside under that name is taken off first (section 5).
"""

import re
from email.utils import parseaddr
from typing import Literal

from sandbox.cast import AUTHSERV_ID

Verdict = Literal["pass", "fail", "none"]

_OWN = re.compile(
    rb"^Authentication-Results:[ \t]*(?:\r?\n[ \t]+)?"
    + re.escape(AUTHSERV_ID.encode())
    + rb"\b.*(?:\r?\n[ \t].*)*\r?\n",
    re.IGNORECASE | re.MULTILINE,
)


def checked(raw: bytes, header_from: str, verdict: Verdict) -> bytes:
    """The mail with our results on top and no forged ones below."""
    head, gap, body = raw.partition(b"\r\n\r\n")
    clean = _OWN.sub(b"", head + b"\r\n").removesuffix(b"\r\n")
    domain = parseaddr(header_from)[1].rpartition("@")[2]
    dkim = f"dkim={verdict} header.d={domain}" if verdict == "pass" else "dkim=none"
    results = (
        f"Authentication-Results: {AUTHSERV_ID}; dmarc={verdict} header.from={domain};\r\n"
        f"\t{dkim}; spf={verdict} smtp.mailfrom={domain}\r\n"
    )
    return results.encode() + clean + gap + body


def received(raw: bytes, sender: str, recipient: str, number: str, date: str) -> bytes:
    """The mail as it lies in a mailbox: with its return path and the line of the last hop."""
    trace = (
        f"Return-Path: <{sender}>\r\n"
        f"Received: from [127.0.0.1] by {AUTHSERV_ID} with ESMTP id {number}\r\n"
        f"\tfor <{recipient}>; {date}\r\n"
    )
    return trace.encode() + raw
