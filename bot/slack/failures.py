"""Slack's errors as ours. Vendors' errors stop here: what comes out is ChannelDown (try again) or ChannelRefused."""

from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

from agent.errors import ChannelDown, ChannelRefused

PASSING = frozenset(
    {
        "accesslimited",
        "fatal_error",
        "internal_error",
        "rate_limited",
        "ratelimited",
        "request_timeout",
        "service_unavailable",
        "team_added_to_org",
    }
)
"""Answers of Slack's that another try may change (docs.slack.dev/reference/methods, common errors)."""
MENDABLE = frozenset({"account_inactive", "invalid_auth", "not_authed", "token_expired", "token_revoked"})
"""Our token is bad: an operator can mend that, so nothing that is to be said is given up for it."""
_SERVER_ERROR = 500
_TOO_MANY = 429


@contextmanager
def slack_failures() -> Iterator[None]:
    """Raises ChannelDown or ChannelRefused for whatever went wrong at Slack, with its word for it and nothing else."""
    try:
        yield
    except SlackApiError as error:
        word, status = error_of(error), status_of(error)
        if status >= _SERVER_ERROR or status == _TOO_MANY or word in PASSING | MENDABLE:
            raise ChannelDown(f"Slack says: {word or status}") from None
        raise ChannelRefused(f"Slack says: {word or status}") from None
    except (TimeoutError, aiohttp.ClientError, OSError) as error:
        raise ChannelDown(f"Slack cannot be reached: {type(error).__name__}") from None
    except SlackClientError as error:
        raise ChannelRefused(f"the request to Slack could not be made: {type(error).__name__}") from None


def error_of(error: SlackApiError) -> str:
    """Slack's word for what went wrong; empty when it answered with something else than JSON."""
    found = _answer(error).get("error")
    return found if isinstance(found, str) else ""


def status_of(error: SlackApiError) -> int:
    """The HTTP status. slack_sdk hands over its own response, or aiohttp's when the body was not JSON."""
    response: object = error.response
    status = getattr(response, "status_code", None) or getattr(response, "status", None)
    return status if isinstance(status, int) else _SERVER_ERROR


def _answer(error: SlackApiError) -> dict[str, object]:
    response: object = error.response
    found = response if isinstance(response, dict) else getattr(response, "data", None)
    return found if isinstance(found, dict) else {}
