"""What docs/reliability.md names exists: a window without its test is an open one."""

import re

from tests.fixtures import ROOT

PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")


def test_each_window_has_its_row_and_each_row_its_tests() -> None:
    rows = re.findall(r"^\| W(\d+) \|(.*)$", PAGE, re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, 19))
    assert all("`test_" in row for _, row in rows)


def test_each_test_that_the_page_names_is_there() -> None:
    written = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    written += "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "faults").glob("*.py"))
    there = set(re.findall(r"def (test_\w+)", written))
    assert set(re.findall(r"`(test_\w+)`", PAGE)) - there == set()
