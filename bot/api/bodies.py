"""What callers send. Every field that is not known is refused, so that a misspelt one is not taken for left out."""

from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, AwareDatetime, Field, TypeAdapter, WithJsonSchema

from agent.conversation import JsonObject, Value
from approvals.decision import GrantScope, GrantTerms
from bot.parameters import can_be_kept

MAX_TEXT = 100_000
MAX_REMARK = 4_000
MAX_PLAN = 100

Sent = TypeVar("Sent")


def _says_something(text: str) -> str:
    if not text.replace("\x00", "").strip():
        raise ValueError("must not be empty")
    return text


def _is_sound(arguments: JsonObject | None) -> JsonObject | None:
    if not can_be_kept(arguments):
        raise ValueError("holds a number that is not finite, or is nested too deeply")
    return arguments


def _without_nul(text: str) -> str:
    return text.replace("\x00", "")


_ANY_OBJECT = {"type": ["object", "null"], "additionalProperties": True}

Text = Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(_says_something)]
Words = Annotated[Text, AfterValidator(_without_nul)]
Reason = Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(_without_nul)]


class NewThread(Value):
    """Work for the agent."""

    text: Text = Field(description="What the agent is asked, in words.")
    agent: str | None = Field(default=None, description="Which agent of agents.yaml; the default one when left out.")


class NewMessage(Value):
    """More words in a thread."""

    text: Text = Field(description="The message.")


class GrantBody(Value):
    """That like calls run from now on without being asked about, where the approval says `may_grant`."""

    scope: GrantScope = Field(
        description="Whose like calls: those of this thread, those that the same person asks for, or anyone's."
    )
    until: AwareDatetime = Field(description="With a time zone; at most 90 days from now.")
    uses: int | None = Field(default=None, description="How often at most; null for as often as the time allows.")
    condition: Annotated[str, AfterValidator(_without_nul)] = Field(
        default="", description="CEL over `args`. Left out: only calls with exactly the arguments that are approved."
    )

    def terms(self) -> GrantTerms:
        """The same, as the gate takes it."""
        return GrantTerms(self.scope, self.until, self.uses, self.condition, exact=not self.condition.strip())


class ApproveBody(Value):
    """Yes, to exactly the call that was shown."""

    decision: Literal["approve"]
    digest: str = Field(description="Of the approval as it was read: what is approved is what was shown.")
    arguments: Annotated[JsonObject | None, AfterValidator(_is_sound), WithJsonSchema(_ANY_OBJECT)] = Field(
        default=None, description="All arguments, when some are changed. The tool and the policy check them again."
    )
    grant: GrantBody | None = Field(
        default=None,
        description="Let like calls run, too, from the next one on. `grant-words` says what that is.",
    )


class RejectBody(Value):
    """No, to a call or to a question."""

    decision: Literal["reject"]
    digest: str = Field(default="", description="Not needed; accepted.")
    reason: Reason = Field(default="", description="The agent reads it.")


class AnswerBody(Value):
    """Words for a question, or one of the choices offered."""

    decision: Literal["answer"]
    digest: str = Field(default="", description="Not needed; accepted.")
    text: Words


DecisionBody = Annotated[ApproveBody | RejectBody | AnswerBody, Field(discriminator="decision")]


class PlanBody(Value):
    """What to do with each of several calls of one plan: all of it is done at once, or none of it."""

    decisions: Annotated[dict[str, DecisionBody], Field(min_length=1, max_length=MAX_PLAN)] = Field(
        description="By approval id. What is left out stays open."
    )


class RemarkBody(Value):
    """A question to the agent about a call that waits. It decides nothing."""

    text: Annotated[Words, Field(max_length=MAX_REMARK)] = Field(description="What you want to know.")


class RevokeBody(Value):
    """Take a grant back."""

    reason: Reason = Field(default="", description="For the record.")


NEW_THREAD = TypeAdapter(NewThread)
NEW_MESSAGE = TypeAdapter(NewMessage)
DECISION: TypeAdapter[ApproveBody | RejectBody | AnswerBody] = TypeAdapter(DecisionBody)
PLAN = TypeAdapter(PlanBody)
REMARK = TypeAdapter(RemarkBody)
APPROVE = TypeAdapter(ApproveBody)
REVOKE = TypeAdapter(RevokeBody)


def documented(adapter: TypeAdapter[Sent]) -> dict[str, object]:
    """How OpenAPI shows the body that this reads. FastAPI does not read it, so it has to be told."""
    schema = adapter.json_schema(ref_template="#/$defs/{model}")
    schema = _inlined(schema, schema.pop("$defs", {}))
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    """The schema with what it refers to put in its place: there is no room for definitions in a request's body."""
    if isinstance(schema, list):
        return [_inlined(each, definitions) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(definitions[schema["$ref"].removeprefix("#/$defs/")], definitions)
    return {name: _inlined(value, definitions) for name, value in schema.items() if name != "discriminator"}
