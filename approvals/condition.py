"""Conditions of rules and grants: CEL, the Common Expression Language, over facts that the caller gives.

A condition holds, does not hold, or cannot be judged (`ConditionError`); callers ask a person then. CEL always comes to
an end and touches nothing, but it may take long and go deep, and what its library is given may come from a model. So:

- A text is at most so long, so deep and so wide, and makes no lists (`map`); how much it goes through is bounded by
  what it is given. The library is native code, and a process whose stack is used up is gone.
- A number must be one that CEL has: a finite double or an integer of 64 bits. Beyond, comparisons would come out by
  rounding.
- An error is told in words of our own. The library's would quote what was compared, which is nobody's business.

The library is imported when the first condition is read: it takes a sixth of a second, and many policies have none.
"""

import math
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import cel

MOST_TEXT = 1_000
"""Characters of a condition."""
MOST_NESTING = 16
"""Brackets within brackets of a condition."""
MOST_DEPTH = 64
"""Lists and objects within one another in what it is given."""
MOST_VALUES = 50_000
"""Values in what it is given, all told."""
MOST_STEPS = 30_000
"""How often its innermost part may be gone through, texts counted by the thousand characters."""

VARIABLES = ("tool", "args", "requester", "channel", "agent", "taint", "cost", "effect", "hints", "time")
"""What a condition may speak of, unless it is said otherwise; see `approvals.circumstances`."""

_TYPES = {"bool", "bytes", "double", "dyn", "int", "list", "map", "null_type", "string", "type", "uint"}
_FUNCTIONS = {
    "bytes", "contains", "double", "duration", "dyn", "endsWith", "getDate", "getDayOfMonth", "getDayOfWeek",
    "getDayOfYear", "getFullYear", "getHours", "getMilliseconds", "getMinutes", "getMonth", "getSeconds", "has", "int",
    "matches", "size", "startsWith", "string", "timestamp", "type", "uint",
}  # fmt: skip

_COMMENT, _RAW = r"//[^\n]*", r"""[bB]?[rR](?:'[^']*'|"[^"]*")"""
_LONG, _SHORT = r"""'''.*?'''|\"\"\".*?\"\"\"""", r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*\""""
_LITERAL = re.compile(f"{_COMMENT}|{_LONG}|{_RAW}|{_SHORT}", re.DOTALL)
_LOOP = re.compile(r"\.\s*(exists|all|exists_one|existsOne|filter|map)\s*\(\s*(\w*)")
_PLACE = re.compile(r"<input>:(\d+):(\d+): (?:Syntax error: )?(.*)")
_WORDS = ((re.compile(r"\band\b"), "&&"), (re.compile(r"\bor\b"), "||"), (re.compile(r"\bnot\b"), "!"))
_QUOTED = re.compile(r"""'[bBrR]{0,2}["'].*""", re.DOTALL)
"""A text that the parser stumbled over: it may name somebody, and this message goes into logs."""
_SINGLE = re.compile(r"(?<![=!<>])=(?!=)")

_TROUBLE = (
    (ZeroDivisionError, "it divides by zero"),
    (OverflowError, "a number in it became too large"),
    (IndexError, "it looks for a place in a list that is shorter"),
    (TypeError, "it compares or computes what does not go together, such as a text and a number, or nothing"),
    (RuntimeError, "a function in it does not take what it was given"),
)


class ConditionError(Exception):
    """It could not be judged whether a condition holds. The message quotes no value."""


@dataclass(frozen=True, slots=True)
class Given:
    """Facts made ready to hold many conditions against. Raises ConditionError for facts that CEL cannot have."""

    context: "cel.Context"
    widest: int
    """Entries of the largest list or object."""
    text: int
    """Characters, all told."""

    @classmethod
    def of(cls, facts: Mapping[str, object]) -> "Given":
        """These facts: values as JSON has them, and moments."""
        import cel  # noqa: PLC0415 - see the head of the module

        widest, text = _measured(facts)
        try:
            return cls(cel.Context(variables=dict(facts)), widest, text)
        except Exception:  # noqa: BLE001 - a lone surrogate, among others
            raise ConditionError("what it is about cannot be read: a text or a value in it is malformed") from None


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that can be read. Two with the same text are equal."""

    text: str
    _program: "cel.Program" = field(compare=False, repr=False)
    _loops: int = field(default=0, compare=False, repr=False)
    """How many of its parts go through a list, as if each were within another."""
    _written: int = field(default=1, compare=False, repr=False)
    """How many entries a list in the text itself may have."""
    _joined: int = field(default=1, compare=False, repr=False)
    """How many lists it may join."""

    @classmethod
    def parse(cls, text: str, variables: Collection[str] = VARIABLES) -> "Condition":
        """The condition that the text says. Raises ValueError: where it is wrong, and what."""
        import cel  # noqa: PLC0415 - see the head of the module

        code = _without_literals(text)
        _check_size(text, code)
        loops = _LOOP.findall(code)
        if any(name == "map" for name, _ in loops):
            raise ValueError("`map` makes lists, which no condition needs: use exists, exists_one, all or filter")
        try:
            program = cel.compile(text)
        except ValueError as error:
            raise ValueError(_explained(str(error), code)) from None
        bound = {variable for _, variable in loops}
        _check_names("variable", set(program.variables()) - bound - _TYPES, variables)
        _check_names("function", (name for name in program.functions() if name.isidentifier()), _FUNCTIONS)
        weight = sum(2 if name == "filter" else 1 for name, _ in loops)  # it copies what it has found at each step
        return cls(text, program, weight, 1 + code.count(","), 1 + code.count("+"))

    def fields(self, variable: str) -> frozenset[str]:
        """The names that it reads of a variable: of `args`, `args.amount` reads `amount`."""
        named = re.findall(rf"(?<![\w.]){variable}\s*\.\s*([A-Za-z_]\w*)\b(?!\s*\()", _without_literals(self.text))
        return frozenset(named)

    def holds(self, facts: Mapping[str, object] | Given) -> bool:
        """Whether it does. Raises ConditionError when that cannot be said, for whatever reason."""
        given = facts if isinstance(facts, Given) else Given.of(facts)
        if self._loops and self._steps(given) > MOST_STEPS:
            raise ConditionError("it would have to go through too much")
        try:
            result = self._program.execute(given.context)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001 - a panic of the library is no Exception
            raise ConditionError(self._trouble(error)) from None
        if not isinstance(result, bool):
            raise ConditionError("it comes to something other than true or false")
        return result

    def _steps(self, given: Given) -> float:
        """How often its innermost part may be gone through at most, long texts counted more."""
        longest = max(given.widest, self._written) * self._joined
        deep = min(self._loops, 17)  # by then two entries are too many
        return float(longest**deep) * (1 + given.text / 1_000)

    def _trouble(self, error: BaseException) -> str:
        """What went wrong, without a value. A name is told only if the condition says it."""
        if isinstance(error, KeyError):
            name = str(error.args[0]) if error.args else ""
            return f"there is no `{name}`" if re.search(rf"\b{re.escape(name)}\b", self.text) else "a key is missing"
        return next(
            (words for kind, words in _TROUBLE if isinstance(error, kind)), f"it broke ({type(error).__name__})"
        )


def _without_literals(text: str) -> str:
    """The text with comments blanked and strings made of nothing but quotes: as long as before."""

    def blank(found: re.Match[str]) -> str:
        mark = " " if found[0].startswith("//") else '"'
        return "".join("\n" if each == "\n" else mark for each in found[0])

    return _LITERAL.sub(blank, text)


def _check_size(text: str, code: str) -> None:
    if not code.strip():
        raise ValueError("is empty; leave it out, or write what must be the case")
    if len(text) > MOST_TEXT:
        raise ValueError(f"is {len(text)} characters long, and may have {MOST_TEXT}: make several rules of it")
    depth = 0
    for place, each in enumerate(code):
        depth += (each in "([{") - (each in ")]}")
        if depth > MOST_NESTING:
            raise ValueError(f"{_place_of(code, place)}: has more than {MOST_NESTING} brackets within one another")


def _place_of(code: str, at: int) -> str:
    line = code.count("\n", 0, at) + 1
    return f"line {line}, column {at - code.rfind(chr(10), 0, at)}"


def _explained(message: str, code: str) -> str:
    """The first complaint of the parser, with its place, and what the writer may have meant."""
    found = _PLACE.search(message)
    where = f"line {found[1]}, column {found[2]}: " if found else ""
    what = found[3].partition(" expecting ")[0].replace("<EOF>", "the end") if found else "cannot be read"
    what = _QUOTED.sub("a text", what)
    hint = "; equal is written ==" if _SINGLE.search(code) else ""
    for word, written in _WORDS:
        hint += f"; `{word.pattern[2:-2]}` is written {written}" if word.search(code) else ""
    return f"{where}{what}{hint}"


def _check_names(what: str, named: Iterable[str], known: Collection[str]) -> None:
    if strange := sorted(set(named) - set(known)):
        raise ValueError(f"there is no {what} `{strange[0]}`; there are: {', '.join(sorted(known))}")


def _measured(facts: Mapping[str, object]) -> tuple[int, int]:
    """Entries of the largest list or object, and characters. Raises ConditionError for what is too much or no CEL."""
    widest = text = values = 0
    level: list[object] = [facts]
    for _ in range(MOST_DEPTH):
        below: list[object] = []
        for each in level:
            if isinstance(each, Mapping):
                below += each.values()
                text += sum(len(str(name)) for name in each)
                widest = max(widest, len(each))
            elif isinstance(each, list | tuple):
                below += each
                widest = max(widest, len(each))
            else:
                text += _checked(each)
        values += len(below)
        if values > MOST_VALUES:
            raise ConditionError("there is too much of what it is about")
        if not below:
            return widest, text
        level = below
    raise ConditionError("what it is about is nested too deeply")


def _checked(value: object) -> int:
    """How many characters it has; ConditionError for a number that CEL has not."""
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ConditionError("a number in what it is about is too large")
    if isinstance(value, float) and not math.isfinite(value):
        raise ConditionError("a number in what it is about is none")
    return len(value) if isinstance(value, str | bytes) else 0
