"""YAML files: every complaint names file, line, field and reason."""

from pathlib import Path

import pytest

from agent.conversation import Value
from agent.errors import ConfigError
from bot import yaml_files


class Shelf(Value):
    books: dict[str, int]
    tags: tuple[str, ...] = ()


def complaint(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        yaml_files.parse(text, "shelf.yaml").parse(Shelf)
    return str(caught.value)


def test_plain_values_come_out_with_their_lines() -> None:
    file = yaml_files.parse("# shelf\nbooks:\n  a: 1\n\ntags: [x,\n  y]\n", "shelf.yaml")

    assert file.parse(Shelf) == Shelf(books={"a": 1}, tags=("x", "y"))
    assert file.lines["books", "a"] == 3
    assert file.lines["tags", 1] == 6
    assert file.complaint(("tags", 1), "is odd") == "shelf.yaml:6: tags.1: is odd"
    assert file.complaint(("tags", 7, "deeper"), "is odd") == "shelf.yaml:5: tags.7.deeper: is odd"


def test_the_same_text_may_be_meant_twice() -> None:
    assert yaml_files.parse("a: &x {b: 1}\nc: *x\n", "f").content == {"a": {"b": 1}, "c": {"b": 1}}


@pytest.mark.parametrize(
    "text, expected",
    [
        ("", "shelf.yaml:1: books: is missing"),
        ("- a\n", "shelf.yaml:1: the file: should be a valid dictionary"),
        ("books:\n  a: one\n", "shelf.yaml:2: books.a: should be a valid integer"),
        ("books: {}\nbocks: {}\n", "shelf.yaml:2: bocks: is not known here"),
        ("books:\n  a: 1\n  a: 2\n", "shelf.yaml:3: a: is written twice"),
        ("books:\n  a: 1\n b: 2\n", "shelf.yaml:3: not YAML"),
        ("books:\n\ta: 1\n", "shelf.yaml:2: not YAML"),
        ("books: {}\n---\nbooks: {}\n", "shelf.yaml:2: not YAML"),
        ("books: !!python/object:os.system {}\n", "shelf.yaml:1: cannot be read"),
        ("books:\n  a: !!int one\n", "shelf.yaml:2: cannot be read"),
        ("books:\n  a: !secret one\n", "shelf.yaml:2: cannot be read"),
        ("books:\n  [a, b]: 1\n", "shelf.yaml:2: a key must be a plain word"),
        ("books: &x\n  a: *x\n", "shelf.yaml:2: contains itself"),
        ("books:\n  3: 1\n", "shelf.yaml:2: books.3: is no valid name"),
        ("\x00", "shelf.yaml: not YAML"),
    ],
)
def test_a_complaint_says_where_and_what(text: str, expected: str) -> None:
    assert expected in complaint(text)


def test_every_problem_is_a_line() -> None:
    lines = complaint("books:\n  a: one\n  b: two\ntags: x\n").splitlines()

    assert [line.split(":")[1] for line in lines] == ["2", "3", "4"]


def test_a_file_that_is_not_there_or_not_text_is_said_by_name(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\xfa")
    (tmp_path / "c.yaml").mkdir()

    for name, what in [("a.yaml", "missing in"), ("b.yaml", "cannot be read"), ("c.yaml", "cannot be read")]:
        with pytest.raises(ConfigError, match=rf"^{name}: {what}"):
            yaml_files.read(tmp_path, name)
