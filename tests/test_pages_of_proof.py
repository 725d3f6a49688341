"""What docs/reliability.md and docs/approvals.md name exists: a line without its test is an open one."""

import re

import pytest

from tests.fixtures import ROOT


def page(name: str) -> str:
    """Its text."""
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def test_each_window_has_its_row_and_each_row_its_tests() -> None:
    rows = re.findall(r"^\| W(\d+) \|(.*)$", page("reliability.md"), re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, 19))
    assert all("`test_" in row for _, row in rows)


def test_each_capability_and_each_attack_has_its_tests() -> None:
    rows = [line for line in page("approvals.md").splitlines() if line.startswith("| ") and "shown by" not in line]
    assert len(rows) > 30
    assert [row for row in rows if "`test_" not in row] == []


@pytest.mark.parametrize("name", ["reliability.md", "approvals.md"])
def test_each_test_that_the_page_names_is_there(name: str) -> None:
    written = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    written += "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "faults").glob("*.py"))
    there = set(re.findall(r"def (test_\w+)", written))
    assert set(re.findall(r"`(test_\w+)`", page(name))) - there == set()
