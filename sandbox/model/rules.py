"""The rules of the sandbox's model: messages, tools and results in, an answer out. Pure, and no state is kept.

They are honest about what they are: a few patterns for the demo's orders. Nothing here pretends to understand.
"""

import json
from typing import Final

from sandbox.model import phrases
from sandbox.model.answer import Answer, Call
from sandbox.model.ask import Ask
from sandbox.model.judge import judged
from sandbox.model.reading import Wish, amount_in, orders_in, question_in, reason_in, wish_of
from sandbox.model.refused import Json
from sandbox.model.turn import Done, Turn, open_turn

LOOK: Final = "lookup_order"
REFUND: Final = "refund_order"
PEOPLE: Final = "ask_human"
FINISH: Final = "finish"


def answered(ask: Ask) -> Answer:
    """What the model says or calls next."""
    turn = open_turn(ask.items)
    if (judgement := judged(turn.text)) is not None:
        return Answer(judgement)
    tools = set(ask.tools) if ask.may_call else set()
    wish, orders = _wish(turn), orders_in(turn.text)
    if wish == "team":
        return _team(turn, tools)
    if wish == "close":
        return _close(turn, tools)
    if wish in {"refund", "lookup"} or orders:
        return _orders(turn, wish, orders, tools)
    return Answer(phrases.small_talk(wish))


def _wish(turn: Turn) -> Wish:
    """A bare number answers the question for it, so the wish is the one from before."""
    wish = wish_of(turn.text)
    if wish in {"lookup", "other"} and phrases.asks_for_number(turn.asked) and orders_in(turn.text):
        return "refund" if wish_of(turn.before) == "refund" else "lookup"
    return wish


def _call(tool: str, **arguments: object) -> Call:
    return Call(tool, json.dumps(arguments))


def _team(turn: Turn, tools: set[str]) -> Answer:
    asked = turn.of(PEOPLE)
    if asked:
        return Answer(phrases.team_said(asked[-1].outcome))
    if PEOPLE not in tools:
        return Answer(phrases.CANNOT_ASK)
    question = question_in(turn.text)
    more: Json = {"choices": list(question.choices)} if question.choices else {}
    return Answer(calls=(_call(PEOPLE, question=question.text, **more),), reasoning="They want a person's word on it.")


def _close(turn: Turn, tools: set[str]) -> Answer:
    if FINISH in tools and not turn.of(FINISH):
        return Answer(calls=(_call(FINISH, summary=phrases.CLOSING),), reasoning="They say that it is all.")
    return Answer(phrases.CLOSING)


def _orders(turn: Turn, wish: Wish, orders: tuple[str, ...], tools: set[str]) -> Answer:
    if not orders:
        return Answer(phrases.which_order(wish))
    if LOOK not in tools:
        return Answer(phrases.CANNOT_LOOK)
    looked = {done.order: done for done in turn.of(LOOK)}
    unseen = [order for order in orders if order not in looked]
    if unseen:
        return Answer(calls=tuple(_call(LOOK, order_id=order) for order in unseen), reasoning="First see the order.")
    refunded = {done.order: done for done in turn.of(REFUND)}
    if wish == "refund":
        calls = _refunds(turn.text, {order: looked[order] for order in orders if order not in refunded}, tools)
        if calls:
            return Answer(calls=calls, reasoning="The order exists and is not refunded yet, so ask for the refund.")
    return Answer(phrases.report(orders, looked, refunded, wants_refund=wish == "refund", may_refund=REFUND in tools))


def _refunds(text: str, looked: dict[str, Done], tools: set[str]) -> tuple[Call, ...]:
    if REFUND not in tools:
        return ()
    named, calls = amount_in(text) if len(looked) == 1 else None, []
    for order, done in looked.items():
        left = phrases.left_to_refund(done)
        if left > 0:
            calls.append(_call(REFUND, order_id=order, amount=named or left, reason=reason_in(text)))
    return tuple(calls)
