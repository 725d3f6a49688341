"""What a caller is told when something is not done: `{"error": {"code", "message", "fields"}}`, never a bare status."""

from collections.abc import Mapping
from types import MappingProxyType

from fastapi import Response
from pydantic import BaseModel, Field, ValidationError

from agent.errors import TwokeyError

NOT_KEPT: Mapping[str, str] = MappingProxyType({"Cache-Control": "no-store"})
"""On every answer: it is for the owner of a token, and of this moment."""
_TAGS = frozenset({"approve", "reject", "answer"})
"""Pydantic puts the chosen alternative into the path of a field; callers never wrote it."""


class ErrorBody(BaseModel):
    """What went wrong."""

    code: str = Field(description="A word for programs; it stays the same.")
    message: str = Field(description="A sentence for people.")
    fields: dict[str, str] = Field(
        default_factory=dict, description="What is wrong with each field, where that is known."
    )


class ErrorAnswer(BaseModel):
    """The body of every answer from 400 upwards."""

    error: ErrorBody


class Problem(TwokeyError):
    """The request cannot be done."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        fields: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = ErrorAnswer(error=ErrorBody(code=code, message=message, fields=dict(fields or {})))
        self.headers = {**NOT_KEPT, **(headers or {})}

    def answer(self) -> Response:
        """The same, over HTTP."""
        content = self.body.model_dump_json(exclude_defaults=True)
        return Response(content, self.status, self.headers, "application/json")


def invalid(error: ValidationError) -> Problem:
    """For a body that does not fit: 400 when it is no JSON, else 422 with a line a field."""
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    if problems[0]["type"] == "json_invalid":
        return Problem(400, "not_json", f"The body is not JSON in UTF-8: {problems[0]['msg']}")
    fields = {".".join(str(part) for part in each["loc"] if part not in _TAGS): each["msg"] for each in problems}
    return Problem(422, "invalid", "The request does not fit; see fields.", fields)


def not_found(what: str) -> Problem:
    """For an id that is nobody's."""
    return Problem(404, "not_found", f"There is no such {what}.")
