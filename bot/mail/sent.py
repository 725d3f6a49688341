"""The good outcome of sending a mail."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sent:
    """A server took the mail for at least one recipient."""

    answer: str
    """What the server said; some relays name the Message-ID that they gave it instead of ours."""
    accepted: tuple[str, ...]
    refused: dict[str, str]
    """Recipients that it did not take, with its words. Those whose words begin with 4 may be tried again."""
