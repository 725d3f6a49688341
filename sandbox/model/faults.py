"""What a model server can do wrong, on demand: answer an error, hang, or break off. Values, and how they are read."""

from dataclasses import dataclass

from sandbox.model.refused import Json


@dataclass(frozen=True, slots=True)
class Fault:
    """One failure. `hang` seconds come first, then the status; `cut` breaks a stream off in its middle."""

    status: int = 0
    retry_after: str = ""
    hang: float = 0
    cut: bool = False
    message: str = ""

    def text(self) -> str:
        """What the error says."""
        if self.message:
            return self.message
        return {429: "Rate limit reached for sandbox-rules-1.", 503: "The engine is currently overloaded."}.get(
            self.status, "The server had an error while processing your request."
        )


def fault_of(raw: Json) -> Fault:
    """A fault from a script's JSON; ValueError for one that says nothing or something unknown."""
    unknown = set(raw) - {"status", "retry_after", "hang", "cut", "message"}
    if unknown or not raw:
        raise ValueError(f"a fault says status, retry_after, hang, cut or message, not {sorted(unknown)}")
    status, hang = raw.get("status", 0), raw.get("hang", 0)
    if not isinstance(status, int) or not isinstance(hang, int | float):
        raise ValueError("a fault's status and hang are numbers")  # noqa: TRY004 - one error for any bad script
    return Fault(
        status, str(raw.get("retry_after", "")), float(hang), bool(raw.get("cut")), str(raw.get("message", ""))
    )
