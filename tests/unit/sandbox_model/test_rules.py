"""The rule-based model: what it says and calls, for each thing that can come back to it."""

import json

import pytest

from sandbox.model.answer import Answer
from sandbox.model.ask import Ask, Called, Item, Returned, Said
from sandbox.model.rules import answered

TOOLS = ("lookup_order", "refund_order", "ask_human", "finish")
ORDER = {
    "order_id": "1042",
    "customer": "Sam Poole",
    "item": "Aurora desk lamp",
    "total": 40.0,
    "currency": "EUR",
    "status": "delivered",
    "refunded": 0,
}
USER = Said(
    "user", '<message from="Ada" channel="slack" verified="yes">\nPlease refund order 1042, it broke\n</message>'
)
LOOK = Called("c1", "lookup_order", '{"order_id": "1042"}')
SEEN = Returned("c1", json.dumps(ORDER))
REFUND = Called("c2", "refund_order", '{"order_id": "1042", "amount": 40.0, "reason": "arrived broken"}')
PAID = json.dumps({**ORDER, "status": "refunded", "refunded": 40.0, "refunded_now": 40.0, "remaining": 0.0})


def _answer(*items: Item, tools: tuple[str, ...] = TOOLS) -> Answer:
    return answered(Ask(items=items, tools={tool: {} for tool in tools}))


def _calls(answer: Answer) -> list[tuple[str, dict[str, object]]]:
    return [(call.name, json.loads(call.arguments)) for call in answer.calls]


def _after_refund(output: str) -> str:
    return _answer(USER, LOOK, SEEN, REFUND, Returned("c2", output)).text


def test_a_refund_begins_with_a_look_at_the_order() -> None:
    assert _calls(_answer(USER)) == [("lookup_order", {"order_id": "1042"})]


def test_then_the_whole_total_is_asked_for_with_the_reason_given() -> None:
    assert _calls(_answer(USER, LOOK, SEEN)) == [
        ("refund_order", {"order_id": "1042", "amount": 40.0, "reason": "arrived broken"})
    ]


def test_success_is_told_with_what_was_paid_to_whom() -> None:
    text = _after_refund(PAID)
    assert text == "Done: I refunded 40.00 EUR to Sam Poole for Aurora desk lamp (order 1042)."


def test_a_rejection_is_respected_and_its_reason_named() -> None:
    text = _after_refund("Rejected by Dana Reyes. It did not run. Reason: the order was cancelled by us")
    assert "not approved: the order was cancelled by us. Nothing was paid." in text


def test_a_rejection_without_a_reason_invents_none() -> None:
    assert "not approved. Nothing" in _after_refund("Rejected by Dana. It did not run. Reason: none given")


def test_edited_arguments_are_reported_as_they_ran() -> None:
    note = (
        '\n[Dana approved this with changed arguments, and it ran with these: {"amount": 25.0}. Not as you proposed.]'
    )
    for output in (PAID.replace('"refunded_now": 40.0', '"refunded_now": 25.0') + note, "Refunded." + note):
        text = _after_refund(output)
        assert "I refunded 25.00 EUR" in text
        assert "changed the amount from 40.00 EUR" in text


@pytest.mark.parametrize(
    "output, words",
    [
        ("Expired: nobody decided in time. This is not a refusal. It did not run.", "Nobody approved"),
        ("Cancelled. It did not run. Asked twice", "was cancelled"),
        ("Stopped by Dana. A restart left it unknown whether it happened.", "was cancelled"),
        ("Failed: the bank is closed", "did not go through: the bank is closed"),
        (
            "Failed: ValueError: the bank is closed\n[Dana changed it. Do not repeat it.]",
            "through: the bank is closed.",
        ),
        ('{"error": "the bank is closed"}', "did not go through: the bank is closed"),
        ("It happened, says Dana; its result was lost in a restart.", "I refunded 40.00 EUR"),
    ],
)
def test_every_other_end_is_told_as_what_it_is(output: str, words: str) -> None:
    assert words in _after_refund(output)


def test_an_unknown_order_is_said_to_be_unknown_and_asked_about() -> None:
    for output in ("Failed: there is no order 1042", '{"error": "order not found"}'):
        assert "could not find an order 1042" in _answer(USER, LOOK, Returned("c1", output)).text


def test_a_look_up_that_failed_otherwise_is_not_called_unknown() -> None:
    assert (
        "could not look up order 1042: database is locked"
        in _answer(USER, LOOK, Returned("c1", "Failed: database is locked")).text
    )


@pytest.mark.parametrize("refunded", [40.0, True])
def test_what_was_refunded_already_is_not_refunded_again(refunded: object) -> None:
    answer = _answer(USER, LOOK, Returned("c1", json.dumps({**ORDER, "refunded": refunded})))
    assert not answer.calls
    assert "already been refunded" in answer.text


def test_only_what_is_left_is_asked_for() -> None:
    answer = _answer(USER, LOOK, Returned("c1", json.dumps({**ORDER, "refunded": 15.5})))
    assert _calls(answer)[0][1]["amount"] == 24.5


def test_a_named_sum_is_taken_and_is_no_order_number() -> None:
    said = Said("user", "Refund 12,50 EUR of order #1042 because the shade was scratched a little.")
    assert _calls(_answer(said, LOOK, SEEN)) == [
        ("refund_order", {"order_id": "1042", "amount": 12.5, "reason": "the shade was scratched a little"})
    ]


def test_two_orders_are_looked_up_and_refunded_in_parallel() -> None:
    said = Said("user", "Refund orders 1042 and 1043 please, ordered in 2026 on 2026-11-25 at 10:30")
    assert [call[1]["order_id"] for call in _calls(_answer(said))] == ["1042", "1043"]
    look = Called("c3", "lookup_order", '{"order_id": "1043"}')
    seen = Returned("c3", json.dumps({**ORDER, "order_id": "1043", "total": 189.5}))
    answer = _answer(said, LOOK, look, SEEN, seen)
    assert [(call[0], call[1]["amount"]) for call in _calls(answer)] == [
        ("refund_order", 40.0),
        ("refund_order", 189.5),
    ]


def test_without_a_number_it_asks_and_a_bare_number_goes_on() -> None:
    first = Said("user", "I want a refund")
    question = _answer(first)
    assert not question.calls
    assert "order number" in question.text
    assert _calls(_answer(first, Said("assistant", question.text), Said("user", "1042"))) == [
        ("lookup_order", {"order_id": "1042"})
    ]


def test_a_later_request_in_the_thread_is_a_new_turn() -> None:
    answer = _answer(
        USER, LOOK, SEEN, REFUND, Returned("c2", PAID), Said("assistant", "Done."), Said("user", "and order 1044?")
    )
    assert _calls(answer) == [("lookup_order", {"order_id": "1044"})]


def test_the_team_is_asked_with_the_choices_named_and_its_answer_passed_on() -> None:
    said = Said("user", "Ask the team: which warehouse, Berlin or Lisbon?")
    call = _answer(said).calls[0]
    assert json.loads(call.arguments) == {
        "question": "Which warehouse, Berlin or Lisbon?",
        "choices": ["Berlin", "Lisbon"],
    }
    asked = Called("c9", "ask_human", call.arguments)
    assert _answer(said, asked, Returned("c9", "Dana Reyes answered: Lisbon")).text == "Dana Reyes says: Lisbon"
    assert "nobody answered" in _answer(said, asked, Returned("c9", "Expired: nobody decided in time.")).text


def test_the_end_is_finished_once() -> None:
    said = Said("user", "Thanks, that's all")
    call = _answer(said).calls[0]
    assert call.name == "finish"
    assert not _answer(said, Called("c9", "finish", call.arguments), Returned("c9", "ok")).calls


def test_small_talk_says_what_it_can_do() -> None:
    assert "look up an order" in _answer(Said("user", "Hello, what can you do?")).text
    assert "rule-based" in _answer(Said("user", "Sing me a song")).text
    assert "welcome" in _answer(Said("user", "thank you!")).text


def test_a_tool_that_is_not_offered_is_not_called() -> None:
    assert "cannot look up" in _answer(USER, tools=()).text
    assert "no way to refund" in _answer(USER, LOOK, SEEN, tools=("lookup_order",)).text
    assert "no way to ask" in _answer(Said("user", "ask the team"), tools=()).text
