"""What all events share, and the values that they are made of."""

from datetime import datetime

from pydantic import Field

from agent.conversation import JsonObject, Value


class ToolCall(Value):
    """The model's wish to have a tool called. A wish: nothing has happened yet."""

    id: str
    """Ours, unique in the thread."""
    provider_id: str
    """The model's own name for the call; some servers repeat it."""
    name: str
    arguments: JsonObject = Field(default_factory=dict)
    malformed: str = ""
    """Why the arguments could not be read, if they could not; then `arguments` is empty."""


class Usage(Value):
    """Tokens of one model call, as its server counted them."""

    input: int = 0
    output: int = 0
    cached: int = 0


class PromptStamp(Value):
    """Which prompt was used, and the first 128 bits of the SHA-256 of the text it was rendered to."""

    name: str
    version: str
    digest: str


class Fact(Value):
    """What all events share."""

    v: int = 1
    at: datetime
