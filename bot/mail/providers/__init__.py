"""The providers of inbound mail: one module each with `authenticate` and `extract`; this table is the list."""

from collections.abc import Mapping

from bot.mail.providers import mailgun, postmark, raw
from bot.mail.webhook import Provider

PROVIDERS: Mapping[str, Provider] = {"raw": raw, "mailgun": mailgun, "postmark": postmark}
"""Adapters by the name in EMAIL_INBOUND_PROVIDER and in the address `/email/inbound/{provider}`."""
