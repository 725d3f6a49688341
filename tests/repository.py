"""The repository as the house tests see it: the files under version control, and the names and comments in its code."""

import ast
import re
import subprocess
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.fixtures import ROOT

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@dataclass(frozen=True)
class Named:
    """Something with a name in our code, and where it is."""

    kind: str
    name: str
    place: str
    lines: int

    @property
    def words(self) -> set[str]:
        """The words of the name, in lower case, whether it is written in snake case or camel case."""
        return {word.lower() for word in WORD.findall(self.name)}


@cache
def tracked() -> tuple[Path, ...]:
    """Every file under version control, as a path in the repository."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - fixed words
    return tuple(path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file())


def python_files() -> list[Path]:
    """Every Python module under version control."""
    return [path for path in tracked() if path.suffix == ".py"]


def shown(path: Path) -> str:
    """A path as it is written in a message."""
    return path.relative_to(ROOT).as_posix()


def _definitions(path: Path) -> Iterator[Named]:
    yield Named("module", path.stem, shown(path), len(path.read_text().splitlines()))
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            kind = "class" if isinstance(node, ast.ClassDef) else "function"
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            yield Named(kind, node.name, f"{shown(path)}:{node.lineno}", length)


@cache
def definitions() -> tuple[Named, ...]:
    """Every module, class and function of ours."""
    return tuple(named for path in python_files() for named in _definitions(path))


def comments() -> Iterator[tuple[str, str]]:
    """Every comment in our Python code, with its place."""
    for path in python_files():
        with path.open("rb") as file:
            for token in tokenize.tokenize(file.readline):
                if token.type == tokenize.COMMENT:
                    yield f"{shown(path)}:{token.start[0]}", token.string
