"""Reads the YAML files of a deployment so that every complaint names file, line, field and reason.

Lines are kept beside the plain values: a path such as `("rules", 2, "outcome")` has the line where that field stands.
A key written twice is an error, since the second would silently win.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from agent.errors import ConfigError

FieldPath = tuple[str | int, ...]
M = TypeVar("M", bound=BaseModel)

_WORDS = {
    "extra_forbidden": "is not known here; check the spelling",
    "missing": "is missing",
}


@dataclass(frozen=True, slots=True)
class YamlFile:
    """One file: its plain values, and the line of each of them."""

    name: str
    """As people know it: relative to the deployment's folder."""
    content: object
    lines: Mapping[FieldPath, int]

    def complaint(self, path: FieldPath, what: str) -> str:
        """`file:line: path.to.field: what is wrong`."""
        return f"{self.name}:{self._line(path)}: {'.'.join(map(str, path)) or 'the file'}: {what}"

    def parse(self, model: type[M]) -> M:
        """The file as that model. Raises ConfigError with a line for each problem."""
        try:
            return model.model_validate(self.content if self.content is not None else {})
        except ValidationError as error:
            problems = error.errors(include_url=False, include_input=False)
            texts = [self._explain(each["loc"], each["type"], each["msg"]) for each in problems]
            raise ConfigError("\n".join(dict.fromkeys(texts))) from None

    def check(self, problems: Iterable[tuple[FieldPath, str]]) -> None:
        """Raises ConfigError with a line for each of these, if there are any."""
        if found := [self.complaint(path, what) for path, what in problems]:
            raise ConfigError("\n".join(found))

    def _explain(self, path: FieldPath, kind: str, message: str) -> str:
        """Pydantic ends the path of a bad key with a mark of its own."""
        if path and path[-1] == "[key]":
            return self.complaint(path[:-1], f"is no valid name: {_plain(message)}")
        return self.complaint(path, _WORDS.get(kind) or _plain(message))

    def _line(self, path: FieldPath) -> int:
        """That of the field, or of the nearest thing around it that is there."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return self.lines.get((), 1)


def _plain(message: str) -> str:
    return message.removeprefix("Value error, ").removeprefix("Input ")


def read(folder: Path, name: str) -> YamlFile:
    """The file `name` in `folder`. Raises ConfigError when it is missing, unreadable or not YAML."""
    try:
        text = (folder / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{name}: missing in {folder.resolve()}; CONFIG_DIR says where it is looked for") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{name}: cannot be read: {error}") from None
    return parse(text, name)


def parse(text: str, name: str, first_line: int = 1) -> YamlFile:
    """YAML text that begins at that line of the file `name`."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = (error.problem_mark.line if error.problem_mark else 0) + first_line
        raise ConfigError(f"{name}:{line}: not YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{name}: not YAML: {error}") from None
    reader = _Reader(name, first_line)
    content = reader.value(node, ()) if node is not None else None
    return YamlFile(name, content, reader.lines)


class _Reader:
    """Turns nodes into plain values, and remembers where each stood."""

    def __init__(self, name: str, first_line: int) -> None:
        self.name = name
        self.first_line = first_line
        self.lines: dict[FieldPath, int] = {}
        self._scalars = yaml.constructor.SafeConstructor()
        self._open: set[int] = set()

    def value(self, node: yaml.Node, path: FieldPath) -> object:
        self.lines.setdefault(path, node.start_mark.line + self.first_line)
        if id(node) in self._open:
            raise ConfigError(f"{self.name}:{self.lines[path]}: contains itself")
        self._open.add(id(node))
        try:
            return self._value(node, path)
        finally:
            self._open.remove(id(node))

    def _value(self, node: yaml.Node, path: FieldPath) -> object:
        match node:
            case yaml.MappingNode(tag="tag:yaml.org,2002:map"):
                return self._mapping(node, path)
            case yaml.SequenceNode(tag="tag:yaml.org,2002:seq"):
                return [self.value(each, (*path, place)) for place, each in enumerate(node.value)]
            case _:
                return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: FieldPath) -> dict[str | int, object]:
        found: dict[str | int, object] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + self.first_line
            key = self._scalar(key_node) if isinstance(key_node, yaml.ScalarNode) else None
            if not isinstance(key, str | int):
                raise ConfigError(f"{self.name}:{line}: a key must be a plain word")
            if key in found:
                raise ConfigError(f"{self.name}:{line}: {key}: is written twice")
            self.lines[*path, key] = line
            found[key] = self.value(value_node, (*path, key))
        return found

    def _scalar(self, node: yaml.Node) -> object:
        try:
            return self._scalars.construct_object(node)
        except (yaml.YAMLError, ValueError) as error:
            line = node.start_mark.line + self.first_line
            raise ConfigError(f"{self.name}:{line}: cannot be read: {error}") from None
