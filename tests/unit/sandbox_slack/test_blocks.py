"""The block validator: what Slack refuses is refused, with Slack's error name; what Slack takes is taken."""

from typing import Any

import pytest

from sandbox.slack.blocks import check_chunks, check_message, check_view, text_length
from sandbox.slack.refused import Refused

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def section(text: str = "hi", **more: object) -> Json:
    return {"type": "section", "text": mrkdwn(text), **more}


def button(action_id: str = "go", **more: object) -> Json:
    return {"type": "button", "action_id": action_id, "text": plain("Go"), **more}


def actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


CONFIRM = {"title": plain("Sure?"), "text": mrkdwn("Really"), "confirm": plain("Yes"), "deny": plain("No")}
OPTION = {"text": plain("One"), "value": "1"}
SELECT = {"type": "static_select", "action_id": "s", "options": [OPTION], "placeholder": plain("Pick")}
RICH = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]}]}
TASK = {"type": "task_card", "task_id": "t", "title": "Look up", "status": "complete"}
INPUT = {
    "type": "input",
    "block_id": "reason",
    "label": plain("Why"),
    "element": {"type": "plain_text_input", "action_id": "text"},
}
CELL = {"type": "raw_text", "text": "c"}

GOOD = [
    section(),
    section(accessory=button()),
    {"type": "section", "fields": [mrkdwn("a"), plain("b")]},
    {"type": "header", "text": plain("Refund")},
    {"type": "divider"},
    actions(button("approve", style="primary", value="ap_1", confirm=CONFIRM), button("reject", style="danger")),
    actions(SELECT, {"type": "overflow", "action_id": "o", "options": [OPTION]}),
    {"type": "context", "elements": [mrkdwn("by Ada"), {"type": "image", "image_url": "https://x/y", "alt_text": "y"}]},
    {"type": "image", "image_url": "https://x/y", "alt_text": "y", "title": plain("t")},
    {"type": "markdown", "text": "**bold**"},
    RICH,
    {"type": "table", "rows": [[CELL, RICH]], "column_settings": [{"align": "right"}]},
    TASK,
    {"type": "plan", "title": "Plan", "tasks": [TASK]},
    {"type": "alert", "text": mrkdwn("careful"), "level": "warning"},
    {"type": "card", "title": plain("t"), "actions": [button()]},
    {"type": "carousel", "elements": [{"type": "card", "body": plain("b")}]},
    {"type": "container", "title": plain("t"), "child_blocks": [section()]},
    {
        "type": "context_actions",
        "elements": [
            {
                "type": "feedback_buttons",
                "action_id": "f",
                "positive_button": {"text": plain("+"), "value": "1"},
                "negative_button": {"text": plain("-"), "value": "0"},
            }
        ],
    },
]

BAD = [
    (section("x" * 3001), "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"),
    (section(""), "must be more than 0 characters"),
    ({"type": "section", "fields": [mrkdwn("x" * 2001)]}, "must be less than 2001"),
    ({"type": "section", "fields": [mrkdwn("x")] * 11}, "no more than 10 items"),
    ({"type": "section"}, "missing required field: text or fields"),
    (section(colour="red"), "no more properties allowed: colour"),
    ({"type": "section", "text": {**mrkdwn("x"), "emoji": True}}, "no more properties allowed: emoji"),
    ({"type": "section", "text": "bare"}, "must be an object"),
    ({"type": "header", "text": mrkdwn("x")}, "must be one of plain_text"),
    ({"type": "header", "text": plain("x" * 151)}, "must be less than 151"),
    (actions(button("a"), button("a")), 'action_id "a" already exists'),
    (actions(*[button(f"b{n}") for n in range(26)]), "no more than 25 items"),
    (actions(button(style="huge")), "must be one of danger, primary"),
    (actions(button(value="x" * 2001)), "must be less than 2001"),
    (actions(button("x" * 256)), "must be less than 256"),
    (actions({**button(), "text": mrkdwn("Go")}), "must be one of plain_text"),
    (actions({**button(), "text": plain("x" * 76)}), "must be less than 76"),
    (actions(button(confirm={**CONFIRM, "text": plain("x" * 301)})), "must be less than 301"),
    (actions({**SELECT, "options": [OPTION] * 101}), "no more than 100 items"),
    (actions({**SELECT, "options": [{**OPTION, "value": "x" * 151}]}), "must be less than 151"),
    (actions({"type": "plain_text_input", "action_id": "x"}), "unsupported type: plain_text_input"),
    ({"type": "context", "elements": [plain("x")] * 11}, "no more than 10 items"),
    ({"type": "context", "elements": [button()]}, "unsupported type: button"),
    ({"type": "context_actions", "elements": [button()]}, "unsupported type: button"),
    ({"type": "markdown", "text": "x" * 12_001}, "must be less than 12001"),
    (INPUT, "unsupported type: input"),
    ({"type": "mystery"}, "unsupported type: mystery"),
    ({"text": "no type"}, "must be an object with a type"),
    ({"type": "image", "image_url": "https://x/y"}, "missing required field: alt_text"),
    ({"type": "table", "rows": [[CELL] * 21]}, "no more than 20 items"),
    ({"type": "table", "rows": [[CELL]] * 101}, "no more than 100 items"),
    ({"type": "table", "rows": [[{"type": "raw_text", "text": "x" * 5001}] * 2]}, "tables hold more than 10000"),
    ({**TASK, "status": "done"}, "must be one of complete, error, in_progress, pending"),
    ({"type": "plan", "title": "P", "tasks": [section()]}, "unsupported type: section"),
    ({"type": "alert", "text": plain("x"), "level": "loud"}, "must be one of"),
    ({"type": "card", "title": plain("x" * 151)}, "must be less than 151"),
    ({"type": "carousel", "elements": [{"type": "card", "body": plain("b")}] * 11}, "no more than 10 items"),
    (section(block_id="x" * 256), "must be less than 256"),
    (section(expand="yes"), "must be a boolean"),
]


@pytest.mark.parametrize("block", GOOD, ids=lambda block: block["type"])
def test_a_block_that_slack_takes_is_taken(block: Json) -> None:
    assert check_message([block]) == [block]


@pytest.mark.parametrize("block,problem", BAD)
def test_a_block_that_slack_refuses_is_refused_with_a_pointer(block: Json, problem: str) -> None:
    with pytest.raises(Refused) as refusal:
        check_message([block])
    assert refusal.value.error == "invalid_blocks"
    assert any(problem in message for message in refusal.value.messages), refusal.value.messages


def test_fifty_blocks_pass_and_fifty_one_do_not() -> None:
    check_message([section()] * 50)
    with pytest.raises(Refused, match="no more than 50 items"):
        check_message([section()] * 51)


def test_the_same_action_id_may_stand_in_two_blocks_but_a_block_id_only_once() -> None:
    check_message([actions(button("a")), actions(button("a"))])
    with pytest.raises(Refused, match='block_id "b" already exists'):
        check_message([section(block_id="b"), section(block_id="b")])


@pytest.mark.parametrize(
    "blocks",
    [[{"type": "markdown", "text": "x" * 6001}] * 2, [section("x" * 2900)] * 5],
    ids=["markdown in total", "text in total"],
)
def test_blocks_legal_one_by_one_are_too_long_together(blocks: list[Json]) -> None:
    with pytest.raises(Refused) as refusal:
        check_message(blocks)
    assert refusal.value.error == "msg_blocks_too_long"


def test_blocks_that_are_no_list_have_the_wrong_format() -> None:
    with pytest.raises(Refused, match="invalid_blocks_format"):
        check_message({"type": "section"})


def test_text_is_counted_wherever_it_stands() -> None:
    assert text_length([section("abc", accessory=button()), RICH]) == len("abc" + "Go" + "x")


MODAL = {"type": "modal", "title": plain("Reject"), "submit": plain("Reject"), "blocks": [INPUT]}


def test_a_modal_and_a_home_tab_that_slack_takes_are_taken() -> None:
    check_view({**MODAL, "close": plain("Cancel"), "private_metadata": "ap_1", "notify_on_close": True})
    check_view({"type": "home", "blocks": [section()]})


@pytest.mark.parametrize(
    "view,problem",
    [
        ({**MODAL, "title": plain("x" * 25)}, "must be less than 25"),
        ({**MODAL, "private_metadata": "x" * 3001}, "must be less than 3001"),
        ({**MODAL, "callback_id": "x" * 256}, "must be less than 256"),
        ({**MODAL, "blocks": [section()] * 101}, "no more than 100 items"),
        ({**MODAL, "blocks": [{"type": "markdown", "text": "x"}]}, "unsupported type: markdown"),
        ({**MODAL, "colour": "red"}, "no more properties allowed: colour"),
        ({key: value for key, value in MODAL.items() if key != "submit"}, "submit is required"),
        ({key: value for key, value in MODAL.items() if key != "title"}, "missing required field: title"),
        ({"type": "home", "blocks": [section()], "submit": plain("x")}, "no more properties allowed: submit"),
        ({"type": "popup"}, "must be a modal or a home view"),
        ("text", "must be a modal or a home view"),
    ],
)
def test_a_view_that_slack_refuses_is_refused(view: object, problem: str) -> None:
    with pytest.raises(Refused) as refusal:
        check_view(view)
    assert refusal.value.error == "invalid_arguments"
    assert any(problem in message for message in refusal.value.messages), refusal.value.messages


@pytest.mark.parametrize(
    "chunk",
    [
        {"type": "markdown_text", "text": "x" * 12_001},
        {"type": "task_update", "id": "1", "title": "t", "status": "done"},
        {"type": "mystery"},
        {"type": "blocks", "blocks": [INPUT]},
        {"type": "markdown_text", "text": "x", "more": 1},
        "text",
    ],
)
def test_a_chunk_that_slack_refuses_is_refused(chunk: object) -> None:
    with pytest.raises(Refused) as refusal:
        check_chunks([chunk])
    assert refusal.value.error == "invalid_chunks"


def test_chunks_that_slack_takes_are_taken() -> None:
    check_chunks(
        [
            {"type": "markdown_text", "text": "hello"},
            {"type": "task_update", "id": "1", "title": "t", "status": "in_progress", "details": "d"},
            {"type": "plan_update", "title": "p"},
            {"type": "blocks", "blocks": [section()]},
        ]
    )


OTHER = {"text": plain("Two"), "value": "2"}
PICKED = [
    ({"type": "radio_buttons", "action_id": "r", "options": [OPTION], "initial_option": OTHER}, "match one of"),
    ({"type": "static_select", "action_id": "s", "options": [OPTION], "initial_option": OTHER}, "match one of"),
    ({"type": "checkboxes", "action_id": "c", "options": [OPTION], "initial_options": [OTHER]}, "match one of"),
    ({"type": "datepicker", "action_id": "d", "initial_date": "25.11.2026"}, "YYYY-MM-DD"),
    ({"type": "datepicker", "action_id": "d", "initial_date": "2026-02-30"}, "YYYY-MM-DD"),
    ({"type": "overflow", "action_id": "o", "options": [{"text": mrkdwn("One"), "value": "1"}]}, "plain_text"),
    ({"type": "overflow", "action_id": "o", "options": [OPTION] * 6}, "no more than 5"),
]


@pytest.mark.parametrize("element, words", PICKED)
@pytest.mark.parametrize("place", ["message", "modal", "home"])
def test_what_an_element_offers_and_begins_with_is_judged_everywhere(element: Json, words: str, place: str) -> None:
    title = {"title": plain("t")} if place == "modal" else {}
    view = {"type": place, **title, "blocks": [section(accessory=element)]}
    with pytest.raises(Refused) as refusal:
        check_message(view["blocks"]) if place == "message" else check_view(view)
    assert words in str(refusal.value.messages)


def test_what_an_element_begins_with_may_be_any_of_its_options() -> None:
    check_message(
        [
            actions(
                {"type": "radio_buttons", "action_id": "r", "options": [OPTION, OTHER], "initial_option": OTHER},
                {"type": "datepicker", "action_id": "d", "initial_date": "2026-11-25"},
            )
        ]
    )
