"""The prompts of a deployment: Markdown with a YAML head, rendered by Jinja2, sandboxed and strict.

A prompt says in its head which variables it needs; that each is used, that no other is, and that the text renders, is
seen when it is loaded, not when the first message comes in. What a model was shown is recorded by digest (factor 2).
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import Field, StringConstraints

from agent.conversation import Value
from agent.errors import ConfigError
from agent.events import PromptStamp
from bot import yaml_files

_HEAD = re.compile(r"\A---\r?\n(.*?\n)---[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_JINJA = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined,
    autoescape=False,  # plain text for a model; there is no markup to escape into
    trim_blocks=True,
    lstrip_blocks=True,
)


class PromptHead(Value):
    """What stands between the dashes at the beginning of a prompt."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    version: Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")]
    description: Annotated[str, Field(min_length=1)]
    variables: dict[str, str] = Field(default_factory=dict)
    """What each variable is, by its name."""


@dataclass(frozen=True, slots=True)
class FilePrompt:
    """A prompt that was read from a file. Satisfies `agent.ports.Prompt`."""

    head: PromptHead
    template: Template = field(repr=False)

    def render(self, variables: Mapping[str, str]) -> tuple[str, PromptStamp]:
        """The text, and what to record of it. Raises ConfigError when a variable is missing; more are no harm."""
        if missing := sorted(set(self.head.variables) - set(variables)):
            raise ConfigError(f"prompt {self.head.name}: no value for {', '.join(missing)}")
        text = self.template.render({name: variables[name] for name in self.head.variables}).strip() + "\n"
        digest = hashlib.sha256(text.encode()).hexdigest()[:32]
        return text, PromptStamp(name=self.head.name, version=self.head.version, digest=digest)


def load(folder: Path) -> dict[str, FilePrompt]:
    """Every `*.md` of `prompts/`, by name. Raises ConfigError with a line for each problem."""
    found: dict[str, FilePrompt] = {}
    problems: list[str] = []
    for path in sorted((folder / "prompts").glob("*.md")):
        try:
            found[path.stem] = _read(path)
        except ConfigError as error:
            problems.append(str(error))
    if problems:
        raise ConfigError("\n".join(problems))
    return found


def _read(path: Path) -> FilePrompt:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"prompts/{path.name}: cannot be read: {error}") from None
    return parse(text, f"prompts/{path.name}", path.stem)


def parse(text: str, name: str, stem: str) -> FilePrompt:
    """The prompt in that text; `name` is what complaints call the file, `stem` what the prompt must be named."""
    head_text = _HEAD.match(text)
    if head_text is None:
        raise ConfigError(f"{name}:1: must begin with a head: a line of ---, YAML, a line of ---")
    file = yaml_files.parse(head_text[1], name, first_line=2)
    head = file.parse(PromptHead)
    if head.name != stem:
        raise ConfigError(file.complaint(("name",), f"must be {stem}, as the file is called"))
    body, lines_before = text[head_text.end() :], text[: head_text.end()].count("\n")
    try:
        used = meta.find_undeclared_variables(_JINJA.parse(body))
        file.check(_mismatches(head, used))
        prompt = FilePrompt(head, _JINJA.from_string(body))
        prompt.render(dict.fromkeys(head.variables, "x"))
    except TemplateSyntaxError as error:
        raise ConfigError(f"{name}:{error.lineno + lines_before}: {error.message}") from None
    except ConfigError:
        raise
    except Exception as error:  # a template can raise whatever an expression in it can
        raise ConfigError(f"{name}: cannot be rendered: {error}") from error
    return prompt


def _mismatches(head: PromptHead, used: set[str]) -> Iterator[tuple[yaml_files.FieldPath, str]]:
    for variable in sorted(used - set(head.variables)):
        yield ("variables",), f"the text uses {variable}, which is not listed here"
    for variable in sorted(set(head.variables) - used):
        yield ("variables", variable), "is listed, and the text does not use it"
