"""The one way Slack says no: an error name, sometimes with a list of what was wrong. No I/O."""

from typing import Any

Json = dict[str, Any]
"""A JSON object."""


class Refused(Exception):
    """Slack would refuse this call. `error` is Slack's own name for the reason."""

    def __init__(self, error: str, *messages: str, **extra: str) -> None:
        super().__init__(error, *messages)
        self.error = error
        self.messages = messages
        self.extra = extra

    def answer(self) -> Json:
        """The body of the answer."""
        body: Json = {"ok": False, "error": self.error, **self.extra}
        if self.messages:
            body["response_metadata"] = {"messages": list(self.messages)}
        return body


class NotPossible(Exception):
    """A person could not do this in Slack: no such button, somebody else's window, a required field left empty."""
