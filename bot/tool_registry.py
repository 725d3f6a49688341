"""Loads the tools that `tools/registry.yaml` names: Python files in that folder, and whatever Tools they define.

A module is loaded by its path under a name of its own, so that two deployments, and Twokey's own packages, never mix.
While it loads, its folder is searched for imports too, so that a tool may have a sibling.
"""

import hashlib
import importlib.util
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Annotated

from pydantic import StringConstraints

from agent.conversation import Value
from agent.errors import ConfigError
from agent.tool import Tool
from agent.tools import BUILT_IN
from bot import yaml_files

REGISTRY = "tools/registry.yaml"


class ToolSource(Value):
    """Where tools come from."""

    python: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_/-]*\.py$")]
    """A file in `tools/`."""


class RegistryFile(Value):
    """The whole of `tools/registry.yaml`."""

    tools: tuple[ToolSource, ...] = ()


def load(folder: Path) -> dict[str, Tool]:
    """The deployment's tools and the built-in ones, by name. Without a registry there are the built-in ones only.

    Raises ConfigError for a file that is missing, breaks while it is loaded, has no tool, or repeats a name."""
    found = {tool.name: tool for tool in BUILT_IN}
    if not (folder / REGISTRY).exists():
        return found
    file = yaml_files.read(folder, REGISTRY)
    for place, source in enumerate(file.parse(RegistryFile).tools):
        where: yaml_files.FieldPath = ("tools", place, "python")
        try:
            tools = _tools_in(_module(folder / "tools" / source.python))
        except ConfigError as error:
            raise ConfigError(file.complaint(where, f"{source.python}: {error}")) from None
        for tool in tools:
            if found.setdefault(tool.name, tool) is not tool:
                raise ConfigError(file.complaint(where, f"{source.python}: there is a tool named {tool.name} already"))
    return found


def _tools_in(module: ModuleType) -> tuple[Tool, ...]:
    """`TOOLS` where the module has one, else each Tool of its own, in the order it defines them."""
    declared = getattr(module, "TOOLS", None)
    if declared is None:
        declared = list({id(each): each for each in vars(module).values() if isinstance(each, Tool)}.values())
    if not isinstance(declared, list | tuple) or not all(isinstance(each, Tool) for each in declared):
        raise ConfigError("TOOLS must be a list of tools: functions under @tool")
    if not declared:
        raise ConfigError("has no tool; put @tool above a function")
    return tuple(declared)


def _module(path: Path) -> ModuleType:
    name = f"twokey_tools_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]}_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise ConfigError("there is no such file in tools/")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and Pydantic look their module up there
    try:
        with _siblings(path.parent):
            spec.loader.exec_module(module)
    except Exception as error:  # a user's code may raise anything, and every one of it stops the start
        del sys.modules[name]
        raise ConfigError(_what_broke(error, path)) from error
    return module


@contextmanager
def _siblings(folder: Path) -> Iterator[None]:
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


def _what_broke(error: Exception, path: Path) -> str:
    """The error and the line of the user's file that it came from."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    if isinstance(error, SyntaxError) and error.filename == str(path):
        lines.append(error.lineno)
    what = str(error) if isinstance(error, ConfigError) else f"{type(error).__name__}: {error}"
    return f"line {lines[-1]}: {what}" if lines else what
