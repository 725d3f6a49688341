"""Conditions: what holds, what cannot be judged, what is refused at once; and that nothing ends the process."""

import subprocess
import sys
import time
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from approvals.condition import MOST_DEPTH, MOST_NESTING, MOST_TEXT, MOST_VALUES, Condition, ConditionError, Given
from tests.fixtures import ROOT

FACTS: Mapping[str, object] = {
    "tool": "refund_order",
    "args": {"amount": 600, "price": 9.5, "note": None, "to": "ada@example.com", "lines": [{"sku": "a"}, {"sku": "b"}]},
    "taint": ["mail from eve@example.net"],
}


def holds(text: str, facts: Mapping[str, object] = FACTS) -> bool:
    return Condition.parse(text).holds(facts)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("args.amount > 500", True),
        ("args.amount > 500.0", True),
        ("args.amount == 600", True),
        ('args.amount == "600"', False),
        ("args.price < 10", True),
        ("args.note == null", True),
        ("has(args.reason)", False),
        ('tool in ["refund_order", "pay"]', True),
        ('tool.matches("^refund_")', True),
        ('!args.to.endsWith("@ours.example")', True),
        ("size(taint) > 0", True),
        ('args.lines.exists(line, line.sku == "b")', True),
        ('size(args.lines.filter(line, line.sku == "b")) == 1', True),
        ('// who gets it\nargs.to.contains("@")', True),
        ('"args.map(x, x)" == tool', False),
        ('"((((((((((((((((((((((((((((((" == tool', False),
        ("type(args.amount) == int", True),
        ('args.lines.all(line, line.sku < "c") && (args.amount > 1 ? true : false)', True),
    ],
)
def test_a_condition_holds_or_does_not(text: str, *, expected: bool) -> None:
    assert holds(text) is expected


@pytest.mark.parametrize(
    "text, words",
    [
        ("args.reason == 'x'", "there is no `reason`"),
        ("requester.id == 'ada'", "a function in it does not take what it was given"),
        ("args.to > 5", "compares or computes what does not go together"),
        ("args.note > 5", "compares or computes what does not go together"),
        ("args.amount * 2.0 > 1.0", "compares or computes what does not go together"),
        ("args.amount / 0 == 1", "divides by zero"),
        ("args.amount * 9223372036854775807 > 0", "became too large"),
        ("args.lines[7] == 1", "a list that is shorter"),
        ("int(args.to) == 1", "does not take what it was given"),
        ('args.to.matches("(")', "does not take what it was given"),
        ("args[args.to] == 1", "a key is missing"),
        ("args.amount", "other than true or false"),
        ('"yes"', "other than true or false"),
        ("null", "other than true or false"),
    ],
)
def test_what_cannot_be_judged_is_an_error_that_quotes_no_value(text: str, words: str) -> None:
    with pytest.raises(ConditionError, match=words) as caught:
        holds(text)

    assert "ada@example.com" not in str(caught.value)
    assert "600" not in str(caught.value)


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("", "is empty"),
        ("  // nothing but a remark", "is empty"),
        ("args.amount >", "line 1, column 14: mismatched input 'the end'"),
        ("args.amount > 1 &&\n  > 2", "line 2, column 3"),
        ("args.amount = 5", "line 1, column 13: .*equal is written =="),
        ('tool == "a" and args.b', "`and` is written &&"),
        ('tool == "a" or args.b', r"`or` is written \|\|"),
        ("not args.b", "`not` is written !"),
        ("amount > 500", "there is no variable `amount`; there are: agent, args,"),
        ("args.lines.exists(line, lines.sku == 1)", "there is no variable `lines`"),
        ('tool.lower() == "a"', "there is no function `lower`; there are: "),
        ("args.lines.map(line, line.sku) == []", "`map` makes lists"),
        ("args . lines\n. map ( line , line.sku) == []", "`map` makes lists"),
        ("(" * (MOST_NESTING + 1) + "true" + ")" * (MOST_NESTING + 1), "column 17: has more than 16 brackets"),
        (f'"{"x" * MOST_TEXT}" == tool', "may have 1000"),
        ('tool == "a', "line 1, column 9"),
        ("9223372036854775808 > 1", "line 1, column 1: invalid int literal"),
    ],
)
def test_what_can_never_be_judged_is_refused_at_once_with_its_place(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Condition.parse(text)


def test_a_condition_may_be_bound_to_fewer_variables() -> None:
    assert Condition.parse("args.amount > 1", variables=("args",)).holds(FACTS)

    with pytest.raises(ValueError, match="there is no variable `tool`; there are: args"):
        Condition.parse('tool == "a"', variables=("args",))


@pytest.mark.parametrize(
    "value, words",
    [
        (10**30, "a number in what it is about is too large"),
        (-(10**30), "a number in what it is about is too large"),
        (2**63, "a number in what it is about is too large"),
        (float("nan"), "a number in what it is about is none"),
        (float("inf"), "a number in what it is about is none"),
        ("\ud800", "malformed"),
        (object(), "malformed"),
        (["x"] * (MOST_VALUES + 1), "too much of what it is about"),
    ],
)
def test_what_cel_cannot_have_is_no_false_but_an_error(value: object, words: str) -> None:
    with pytest.raises(ConditionError, match=words):
        holds("args.amount > 500", {"args": {"amount": 1, "deep": [{"v": value}]}})


def test_what_is_nested_too_deeply_is_an_error_and_no_crash() -> None:
    value: object = 1
    for _ in range(100_000):
        value = [value]

    with pytest.raises(ConditionError, match="nested too deeply"):
        holds("args.a == 1", {"args": {"a": value}})


@pytest.mark.parametrize(
    "text",
    [
        "args.l.all(a, args.l.all(b, args.l.all(c, a + b + c >= 0)))",
        "size(args.l.filter(a, true)) > 1",
        "(args.l + args.l + args.l).all(a, args.l.all(b, true))",
        "args.l" + ".all(a, [1]" * 15 + ".all(a, true)" + ")" * 15,
        " && ".join(["[1, 2].all(a, true)"] * 40),
    ],
)
def test_what_would_take_too_long_is_an_error_at_once(text: str) -> None:
    began = time.perf_counter()

    with pytest.raises(ConditionError, match="go through too much"):
        holds(text, {"args": {"l": list(range(1_000))}})

    assert time.perf_counter() - began < 1


def test_the_most_that_it_goes_through_takes_no_second() -> None:
    began = time.perf_counter()

    assert holds("args.l.all(a, args.l.all(b, a >= -b))", {"args": {"l": list(range(170))}})
    assert holds('args.s.matches("(a+)+$")', {"args": {"s": "a" * 100_000}})

    assert time.perf_counter() - began < 1


def test_facts_are_made_ready_once_for_many_conditions() -> None:
    ready = Given.of(FACTS)

    assert Condition.parse("args.amount > 500").holds(ready)
    assert not Condition.parse("args.amount > 700").holds(ready)


def test_the_longest_and_deepest_texts_do_not_end_the_process_on_a_small_stack() -> None:
    texts = [
        "args" + ".a" * ((MOST_TEXT - 4) // 2),
        "1" + "+1" * ((MOST_TEXT - 1) // 2),
        "!" * (MOST_TEXT - 4) + "true",
        "true?" * 90 + "true" + ":true" * 90,
        "[" * MOST_NESTING + "]" * MOST_NESTING + "+[1]" * 200,
    ]
    deep = "1"
    for _ in range(MOST_DEPTH - 3):
        deep = f"[{deep}]"
    script = f"""
import threading
from approvals.condition import Condition, ConditionError

def work():
    for text in {texts!r}:
        try:
            Condition.parse(text).holds({{"args": {{"a": {deep}}}}})
        except (ValueError, ConditionError):
            pass
    print("alive")

threading.stack_size(512 * 1024)
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - our own words

    assert done.stdout == "alive\n", done.stderr


def test_a_deployment_without_conditions_does_not_import_the_library() -> None:
    script = f"""
import sys
from pathlib import Path
import bot.cli, bot.wiring
from bot.deployment import Deployment
Deployment.load(Path({str(ROOT)!r}))
print([name for name in sys.modules if name.partition(".")[0] in {{"cel", "prompt_toolkit"}}])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - our own words

    assert done.stdout == "[]\n", done.stderr


NAMES = st.sampled_from(["args", "tool", "taint", "args.a", "args.b", "x", "1", "2.5", '"a"', "null", "true", "[1, 2]"])
TEXTS = st.recursive(
    NAMES,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "/", "==", "<", "in", "&&", "||", "%"]), inner).map(" ".join),
        st.tuples(inner, st.sampled_from(["exists", "all", "filter", "exists_one"]), inner).map(
            lambda of: f"({of[0]}).{of[1]}(x, {of[2]})"
        ),
        inner.map("size({})".format),
        inner.map("!({})".format),
        st.tuples(inner, inner).map(lambda of: f"({of[0]})[{of[1]}]"),
    ),
    max_leaves=8,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(text=TEXTS | st.text(max_size=60), value=JSON, other=JSON)
def test_whatever_is_written_and_given_it_is_true_false_or_one_of_two_errors(
    text: str, value: object, other: object
) -> None:
    try:
        condition = Condition.parse(text)
    except ValueError:
        return
    try:
        assert condition.holds({"args": {"a": value, "b": other}, "tool": "t", "taint": []}) in {True, False}
    except ConditionError:
        return


@pytest.mark.parametrize("text", ['tool == "eve@out.example', 'tool == "a" "eve@out.example"', "tool == 'a' r'eve'"])
def test_what_cannot_be_read_is_told_without_the_texts_in_it(text: str) -> None:
    with pytest.raises(ValueError, match="line 1, column") as told:
        Condition.parse(text)
    assert "eve" not in str(told.value)
