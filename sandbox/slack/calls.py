"""The record of what the bot asked: every Web API call and response URL use, in order, with arguments and answer."""

from dataclasses import dataclass, field, replace

from sandbox.slack.refused import Json


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `status` 0 means that no answer went out, or not yet. `arguments` are as sent, without the token."""

    seq: int
    method: str
    arguments: Json
    team_id: str
    at: float
    status: int = 0
    answer: Json = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Done as asked."""
        return self.answer.get("ok") is True

    @property
    def error(self) -> str:
        """Slack's name for the refusal, or empty."""
        return str(self.answer.get("error", ""))


@dataclass
class CallLog:
    """All calls, by order of arrival."""

    _calls: list[Call] = field(default_factory=list)

    def begin(self, method: str, arguments: Json, team_id: str, at: float) -> int:
        """Record the arrival; gives its number."""
        self._calls.append(Call(len(self._calls), method, arguments, team_id, at))
        return len(self._calls) - 1

    def end(self, seq: int, status: int, answer: Json) -> None:
        """Record what came of it."""
        self._calls[seq] = replace(self._calls[seq], status=status, answer=answer)

    def of(self, method: str | None = None) -> list[Call]:
        """All, or those of one method."""
        return [call for call in self._calls if method in {None, call.method}]
