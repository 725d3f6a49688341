"""A thread at rest from which any of its texts are taken out rests as before, and can still be shown."""

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.effects import Wait
from agent.entries import Entry
from agent.events import MessageReceived
from agent.redaction import MARK, redacted
from agent.reducer import decide
from agent.state import ThreadState
from agent.thread import fold
from store import codec
from tests.builders import a_message
from tests.properties.test_reducer import RULES, Driver, assert_every_result_follows_its_answer


def at_rest(driver: Driver) -> bool:
    return isinstance(decide(driver.state, RULES), Wait) and not driver.state.approvals


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_it_folds_to_the_same_rest(data: st.DataObject) -> None:
    driver = Driver(data)
    for _ in range(data.draw(st.integers(5, 40))):
        driver.step()
    for _ in range(200):
        if at_rest(driver):
            break
        if isinstance(decide(driver.state, RULES), Wait):
            [approval_id, asked] = next(iter(driver.state.approvals.items()))
            driver.add(driver.decision(approval_id, asked.request))
        driver.perform()
    entries, before = driver.state.entries, decide(driver.state, RULES)
    chosen = data.draw(st.sets(st.sampled_from([each.seq for each in entries])))
    left = [Entry(e.seq, redacted(e.event)) if e.seq in chosen else e for e in entries]
    state = fold(ThreadState("thr_1", driver.state.conversation, "support"), left)
    if at_rest(driver):
        assert decide(state, RULES) == before
    assert_every_result_follows_its_answer(state)
    for each in left:  # what is left is written, and read again, like any event
        [link] = codec.chained([each.event], each.seq - 1, b"")
        assert codec.entry(link.seq, link.kind, link.at, link.body) == each
        assert redacted(each.event) == (each.event if each.seq in chosen else redacted(each.event))


@given(st.text(min_size=1).filter(str.strip))
def test_nothing_is_left_of_what_was_said(text: str) -> None:
    event = redacted(a_message(f"Said {text}"))
    assert isinstance(event, MessageReceived)
    assert (event.text, event.sender.id, event.sender.name) == (MARK, MARK, MARK)
    assert event.delivery_id == "dlv_1"
