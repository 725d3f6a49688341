"""The vocabulary in which the tables of blocks, elements and views are written. Values only."""

from dataclasses import dataclass

PLAIN = frozenset({"plain_text"})
MRKDWN = frozenset({"mrkdwn"})
EITHER = PLAIN | MRKDWN


@dataclass(frozen=True, slots=True)
class Text:
    """A text object of one of `kinds`."""

    longest: int = 3000
    kinds: frozenset[str] = EITHER
    needed: bool = False


@dataclass(frozen=True, slots=True)
class String:
    """A bare string."""

    longest: int = 3000
    choices: frozenset[str] = frozenset()
    needed: bool = False
    shortest: int = 0


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    needed: bool = False


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number."""

    needed: bool = False


@dataclass(frozen=True, slots=True)
class Typed:
    """An object that names itself in `type`, one of `kinds`, described in the table of that name."""

    kinds: frozenset[str]
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """An object without a `type`, described in RECORDS under `name`."""

    name: str
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Many:
    """A list."""

    item: "Field"
    most: int = 1000
    least: int = 1
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Free:
    """Anything: Slack's client fills it, or nothing of ours depends on it."""

    needed: bool = False


Field = Text | String | Flag | Whole | Typed | Record | Many | Free
Fields = dict[str, Field]


def plain(longest: int, *, needed: bool = False) -> Text:
    """A plain_text object."""
    return Text(longest, PLAIN, needed)


def names(words: str) -> frozenset[str]:
    """A set of names written as one line."""
    return frozenset(words.split())


def choice(words: str, *, needed: bool = False) -> String:
    """One of these words."""
    return String(choices=names(words), needed=needed)
