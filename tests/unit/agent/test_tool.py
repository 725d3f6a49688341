"""What `@tool` makes of a function."""

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from agent.errors import BadArguments, ConfigError
from agent.tool import Tool, ToolContext, catalog, tool


class Address(BaseModel):
    city: str
    zip: str = ""


@tool(effect="read", idempotent=True, time_limit=3)
async def find(
    order_id: str, kind: Literal["a", "b"] = "a", limit: Annotated[int, Field(gt=0)] = 5, where: Address | None = None
) -> list[str]:
    """Find things.

    By order, and by kind.

    Args:
        order_id: The number on the invoice.
        limit: How many at most.
    """
    return [order_id, kind, str(limit), str(where)]


def test_name_description_and_schema_come_from_the_function() -> None:
    assert find.name == "find"
    assert find.description == "Find things.\n\nBy order, and by kind."
    properties = find.parameters["properties"]
    assert isinstance(properties, dict)
    assert properties["order_id"] == {"type": "string", "description": "The number on the invoice."}
    assert properties["kind"] == {"type": "string", "enum": ["a", "b"], "default": "a"}
    assert find.parameters["required"] == ["order_id"]
    assert find.parameters["additionalProperties"] is False
    assert "title" not in str(find.parameters)


def test_what_is_not_declared_is_taken_for_dangerous() -> None:
    @tool
    def act() -> None:
        """Do it."""

    assert (act.effect, act.idempotent, act.needs_approval) == ("write", False, False)


def test_arguments_arrive_with_the_declared_types() -> None:
    assert find.check({"order_id": "7", "where": {"city": "Graz"}}) == {
        "order_id": "7",
        "kind": "a",
        "limit": 5,
        "where": Address(city="Graz"),
    }


@pytest.mark.parametrize(
    "arguments, complaint",
    [
        ({}, "order_id: Field required"),
        ({"order_id": "1", "colour": "red"}, "colour: Extra inputs are not permitted"),
        ({"order_id": "1", "limit": 0}, "limit: Input should be greater than 0"),
        ({"order_id": "1", "kind": "c"}, "kind: Input should be 'a' or 'b'"),
        ({"order_id": "1", "where": {}}, "where.city: Field required"),
    ],
)
def test_bad_arguments_are_explained_so_that_a_model_can_mend_them(
    arguments: dict[str, object], complaint: str
) -> None:
    with pytest.raises(BadArguments, match=complaint):
        find.check(arguments)  # type: ignore[arg-type]  # bad on purpose


def test_the_digest_is_of_the_call_and_of_the_schema() -> None:
    same = find.digest({"order_id": "1", "limit": 2})
    assert same == find.digest({"limit": 2, "order_id": "1"})
    assert same != find.digest({"order_id": "1", "limit": 3})
    assert same != find.digest({"order_id": "1"})

    @tool(effect="write", name="find")
    async def other(order_id: str, limit: int) -> None:
        """Find things."""

    assert same != other.digest({"order_id": "1", "limit": 2})


def test_the_context_is_no_argument() -> None:
    @tool
    def act(amount: float, context: ToolContext) -> str:
        """Do it."""
        return context.idempotency_key

    assert act.context_parameter == "context"
    assert list(act.arguments_model.model_fields) == ["amount"]


def test_a_function_that_says_too_little_is_refused() -> None:
    def silent() -> None: ...
    def untyped(x) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - untyped on purpose
        """Do it."""

    with pytest.raises(ConfigError, match="needs a docstring"):
        tool(silent)
    with pytest.raises(ConfigError, match="parameter x needs a type"):
        tool(untyped)


def test_two_tools_of_one_name_are_refused() -> None:
    assert catalog([find]) == {"find": find}
    with pytest.raises(ConfigError, match="two tools are named find"):
        catalog([find, find])
    assert isinstance(find, Tool)


def test_half_a_character_has_a_digest_of_its_own() -> None:
    """An approver's form may send one; the store writes it as a question mark, which is another call."""
    assert len({find.digest({"text": each}) for each in ("\ud800", "\ud801", "?")}) == 3
