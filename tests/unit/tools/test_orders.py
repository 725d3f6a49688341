"""The example toolset: money is counted in cents, once, and never more than was paid."""

import re
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from agent.errors import BadArguments
from agent.tool import Tool, ToolContext
from bot import tool_registry
from tests.fixtures import ROOT


@pytest.fixture
def tools(tmp_path: Path) -> dict[str, Tool]:
    (tmp_path / "tools").mkdir()
    for name in ("orders.py", "registry.yaml"):
        shutil.copy(ROOT / "tools" / name, tmp_path / "tools" / name)
    return tool_registry.load(tmp_path)


def lookup(tools: dict[str, Tool], order_id: str) -> Any:  # noqa: ANN401 - JSON
    return tools["lookup_order"].function(order_id)


def refund(tools: dict[str, Tool], order_id: str, amount: float, key: str = "k1") -> Any:  # noqa: ANN401 - JSON
    context = ToolContext("thr_1", "call_1", key, approved_by="dana")
    return tools["refund_order"].function(order_id, amount, "Arrived broken", context)


def preview(tools: dict[str, Tool], order_id: str, amount: float) -> object:
    shown = tools["refund_order"].preview
    assert shown is not None
    return shown(order_id=order_id, amount=amount, reason="Arrived broken")


def test_an_order_is_looked_up_by_its_number(tools: dict[str, Tool]) -> None:
    assert lookup(tools, " #1042 ") == {
        "order_id": "1042",
        "customer": "Sam Poole",
        "email": "sam@customer.example",
        "item": "Aurora desk lamp",
        "total": 40.0,
        "currency": "EUR",
        "status": "delivered",
        "refunded": 0.0,
    }
    assert (lookup(tools, "1043")["total"], lookup(tools, "1044")["status"]) == (189.5, "refunded")


def test_a_refund_happens_once_for_one_key(tools: dict[str, Tool]) -> None:
    first = refund(tools, "1042", 15.1)

    assert refund(tools, "1042", 15.1) == first
    assert (first["refunded_now"], first["refunded"], first["remaining"]) == (15.1, 15.1, 24.9)
    assert refund(tools, "1042", 24.9, key="k2")["status"] == "refunded"


def test_a_refund_happens_once_even_when_it_is_run_by_many_at_the_same_time(tools: dict[str, Tool]) -> None:
    threads = [threading.Thread(target=refund, args=(tools, "1042", 10.0)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert lookup(tools, "1042")["refunded"] == 10.0


@pytest.mark.parametrize(
    "order_id, amount, why",
    [
        ("9999", 1.0, "there is no order 9999"),
        ("1042", 40.01, r"cannot refund 40.01 EUR; only 40.00 EUR of it can be"),
        ("1044", 1.0, "has been refunded in full already"),
        ("1042", 1.005, "more than two decimals"),
    ],
)
def test_what_cannot_be_refunded_is_refused_before_and_after_approval(
    tools: dict[str, Tool], order_id: str, amount: float, why: str
) -> None:
    with pytest.raises((LookupError, ValueError), match=why):
        refund(tools, order_id, amount)
    assert re.fullmatch(rf"This would fail: .*{why}.*", str(preview(tools, order_id, amount)))
    assert lookup(tools, "1042")["refunded"] == 0.0


@pytest.mark.parametrize("amount", [0, -1, "inf", "nan", "forty", None])
def test_an_amount_is_a_positive_number(tools: dict[str, Tool], amount: str | int | None) -> None:
    with pytest.raises(BadArguments, match="amount"):
        tools["refund_order"].check({"order_id": "1042", "amount": amount, "reason": "x"})


def test_the_approver_sees_whose_money_it_is_and_what_remains(tools: dict[str, Tool]) -> None:
    assert preview(tools, "1042", 15.0) == (
        "Refund 15.00 EUR of 40.00 EUR to Sam Poole (sam@customer.example) for Aurora desk lamp, order 1042. "
        "25.00 EUR of the order would remain."
    )
    assert lookup(tools, "1042")["refunded"] == 0.0


def test_a_refund_waits_for_a_person_and_may_be_run_again(tools: dict[str, Tool]) -> None:
    tool = tools["refund_order"]

    assert (tool.effect, tool.needs_approval, tool.idempotent) == ("write", True, True)
    assert tools["lookup_order"].effect == "read"
