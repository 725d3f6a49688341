"""Our tables agree with Slack's own SDK: every block its models build is taken, every limit they know is ours too."""

from typing import Any

import pytest
from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models import blocks as sdk

from sandbox.slack.blocks import check_message
from sandbox.slack.elements import ELEMENTS
from sandbox.slack.limits import BLOCKS
from sandbox.slack.refused import Refused

MODELLED = [
    one
    for one in vars(sdk).values()
    if isinstance(one, type) and issubclass(one, sdk.Block) and getattr(one, "type", None) in BLOCKS
]
OLD_OR_ODD = {"call", "auth_provider"}


@pytest.mark.parametrize("model", MODELLED, ids=lambda model: model.__name__)
def test_the_keys_of_a_block_are_those_of_the_sdk(model: Any) -> None:  # noqa: ANN401 - any of the SDK's classes
    attributes = set(model.__new__(model).attributes)
    assert attributes - {"type", "block_id"} <= BLOCKS[model.type].keys()


def test_every_block_of_the_sdk_is_known_here() -> None:
    types = {
        getattr(one, "type", None) for one in vars(sdk).values() if isinstance(one, type) and issubclass(one, sdk.Block)
    }
    assert {kind for kind in types if kind} - OLD_OR_ODD == set(BLOCKS)


def test_every_interactive_element_of_the_sdk_is_known_here() -> None:
    types = {
        str(getattr(one, "type", ""))
        for one in vars(sdk).values()
        if isinstance(one, type) and issubclass(one, sdk.InteractiveElement) and getattr(one, "type", None)
    }
    assert types <= ELEMENTS.keys()


@pytest.mark.parametrize(
    "build",
    [
        lambda size: sdk.SectionBlock(text="x" * size),
        lambda size: sdk.HeaderBlock(text="x" * size),
        lambda size: sdk.MarkdownBlock(text="x" * size),
        lambda size: sdk.ActionsBlock(elements=[sdk.ButtonElement(text="x" * size, action_id="a")]),
        lambda size: sdk.ActionsBlock(elements=[sdk.ButtonElement(text="x", action_id="a", value="x" * size)]),
        lambda size: sdk.ContextBlock(elements=[sdk.MarkdownTextObject(text="x")] * size),
    ],
)
def test_the_longest_that_the_sdk_builds_is_taken_and_one_more_refused_by_both(build: object) -> None:
    assert callable(build)
    longest = 0
    for size in (10, 75, 150, 2000, 3000, 12_000):
        try:
            built = build(size).to_dict()
        except SlackObjectFormationError:
            break
        check_message([built])
        longest = size
    with pytest.raises(SlackObjectFormationError):
        build(longest + 1).to_dict()
    refused = build(1).to_dict()
    grown = _grown(refused, longest + 1)
    with pytest.raises(Refused):
        check_message([grown])


def _grown(block: dict[str, Any], size: int) -> dict[str, Any]:
    """The same block with its one variable part at this size."""
    match block:
        case {"type": "context"}:
            return {**block, "elements": block["elements"] * size}
        case {"type": "markdown"}:
            return {**block, "text": "x" * size}
        case {"type": "actions", "elements": [{"value": str()} as button]}:
            return {**block, "elements": [{**button, "value": "x" * size}]}
        case {"type": "actions", "elements": [button]}:
            return {**block, "elements": [{**button, "text": {**button["text"], "text": "x" * size}}]}
        case _:
            return {**block, "text": {**block["text"], "text": "x" * size}}
