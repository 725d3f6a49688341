"""Whether From is proved: by a provider's structured verdict, or by the one Authentication-Results field that we trust.

From is free text; only a check aligned with the From domain says anything about it, so `dmarc=pass` for exactly
that domain counts, or `dkim=pass` whose d= is that domain (strict alignment). SPF alone never counts, and `none` is not
a pass. Of the Authentication-Results fields (RFC 8601) only the topmost counts, and only if its authserv-id is a
configured one: whoever writes a mail can write such a field too, and a receiver that adds none leaves the forger's on
top. Whatever cannot be read without doubt is distrusted.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from bot.mail.addresses import domain_of
from bot.mail.email import Authenticity, Mailbox, Verdict, Verdicts

MAX_FIELD = 16 * 1024
_TOKEN = re.compile(r"[^\s;=\"()\\]{1,512}")
_METHOD = re.compile(r"([a-z0-9_-]{1,40})(?:/\d{1,3})?")


@dataclass(frozen=True, slots=True)
class Clause:
    """One `method=result` of the field with the properties of its own clause."""

    method: str
    result: str
    properties: tuple[tuple[str, str], ...]

    def only(self, name: str) -> str:
        """A property's value if it occurs exactly once in this clause, else nothing."""
        values = [value for key, value in self.properties if key == name]
        return values[0] if len(values) == 1 else ""


@dataclass(frozen=True, slots=True)
class Results:
    """An Authentication-Results field, read."""

    authserv_id: str
    clauses: tuple[Clause, ...]


class _DoubtfulError(Exception):
    """The field does not follow the grammar; nothing in it is believed."""


def authenticate(
    sender: Mailbox | None, fields: tuple[str, ...], *, trusted_ids: Collection[str], provider: Verdicts | None = None
) -> Authenticity:
    """Whether the From domain of `sender` is proved. `fields`: all Authentication-Results values, topmost first."""
    if sender is None:
        return Authenticity(Verdict.FAIL, "From is not beyond doubt")
    if provider is not None and provider.dmarc is not Verdict.UNKNOWN:
        return _by_provider(sender, provider)
    trusted = {name.strip().lower() for name in trusted_ids if name.strip()}
    if not trusted:
        return Authenticity(Verdict.UNKNOWN, "no trusted authserv-id is configured")
    if not fields:
        return Authenticity(Verdict.NONE, "no Authentication-Results field")
    results = parse_results(fields[0])
    if results is None:
        return Authenticity(Verdict.UNKNOWN, "the topmost Authentication-Results field cannot be read without doubt")
    if results.authserv_id not in trusted:
        return Authenticity(Verdict.UNKNOWN, "the topmost Authentication-Results field is not from a trusted server")
    return _by_results(sender, results)


def parse_results(value: str) -> Results | None:
    """The field's content, or None where it is not beyond doubt: bad quoting or nesting, an unreadable id, too long."""
    if len(value) > MAX_FIELD:
        return None
    try:
        return _results(value)
    except _DoubtfulError:
        return None


def _by_provider(sender: Mailbox, provider: Verdicts) -> Authenticity:
    if provider.header_from and domain_of(provider.header_from) != sender.domain:
        return Authenticity(Verdict.FAIL, "the provider's DMARC verdict is for another domain")
    return Authenticity(provider.dmarc, f"the provider says dmarc={provider.dmarc}")


def _by_results(sender: Mailbox, results: Results) -> Authenticity:
    dmarc = [clause for clause in results.clauses if clause.method == "dmarc"]
    if len(dmarc) > 1:
        return Authenticity(Verdict.FAIL, "dmarc is said more than once")
    if dmarc and dmarc[0].result == "pass":
        said = dmarc[0].only("header.from")
        if said and domain_of(said.rpartition("@")[2]) == sender.domain:
            return Authenticity(Verdict.PASS, f"dmarc=pass for {sender.domain} by {results.authserv_id}")
        return Authenticity(Verdict.FAIL, "dmarc=pass is not for the From domain")
    if dmarc and dmarc[0].result not in {"none", "bestguesspass"}:
        verdict = Verdict.UNKNOWN if dmarc[0].result in {"temperror", "permerror"} else Verdict.FAIL
        return Authenticity(verdict, f"dmarc={dmarc[0].result[:20]} by {results.authserv_id}")
    if any(_aligned(clause, sender.domain) for clause in results.clauses):
        return Authenticity(Verdict.PASS, f"dkim=pass for {sender.domain} by {results.authserv_id}")
    return Authenticity(Verdict.NONE, f"nothing aligned with {sender.domain} passes at {results.authserv_id}")


def _aligned(clause: Clause, domain: str) -> bool:
    return clause.method == "dkim" and clause.result == "pass" and domain_of(clause.only("header.d")) == domain


def _results(value: str) -> Results:
    clauses = list(_split(value))
    head = clauses[0]
    # authserv-id [version]; anything else before the first semicolon is no id
    if not head or "=" in head or (head[1:] and (head[2:] or not head[1].isdigit())):
        raise _DoubtfulError
    read = [_clause(tokens) for tokens in clauses[1:] if tokens and tokens != ["none"]]
    return Results(head[0].lower(), tuple(read))


def _clause(tokens: list[str]) -> Clause:
    """`method [/version] = result`, then `name = value` pairs; free words are skipped, dangling `=` are not."""
    pairs: list[tuple[str, str]] = []
    at = 0
    while at < len(tokens):
        if at + 1 < len(tokens) and tokens[at + 1] == "=":
            if at + 2 >= len(tokens) or tokens[at + 2] == "=":
                raise _DoubtfulError
            pairs.append((tokens[at].lower(), tokens[at + 2]))
            at += 3
        elif tokens[at] == "=" or not pairs:
            raise _DoubtfulError
        else:
            at += 1  # Microsoft writes `action=none` and bare words after a result
    method = _METHOD.fullmatch(pairs[0][0])
    if not method:
        raise _DoubtfulError
    return Clause(method.group(1), pairs[0][1].lower(), tuple(pairs[1:]))


def _split(value: str) -> Iterator[list[str]]:
    """The tokens of each clause, parted by `;` outside quotes and comments. Comments vanish, however deep."""
    tokens: list[str] = []
    at = 0
    while at < len(value):
        character = value[at]
        if character in " \t\r\n":
            at += 1
        elif character == ";":
            yield tokens
            tokens, at = [], at + 1
        elif character == "=":
            tokens.append("=")
            at += 1
        elif character == "(":
            at = _after_comment(value, at)
        else:
            token, at = _quoted(value, at) if character == '"' else _plain(value, at)
            tokens.append(token)
    yield tokens


def _plain(value: str, at: int) -> tuple[str, int]:
    found = _TOKEN.match(value, at)
    if not found:
        raise _DoubtfulError
    return found.group(), found.end()


def _quoted(value: str, at: int) -> tuple[str, int]:
    """A quoted string (RFC 5322, 3.2.4). It stays one token; a quoted `=` or `;` is text."""
    text: list[str] = []
    at += 1
    while at < len(value):
        if value[at] == "\\":
            text.append(value[at + 1 : at + 2])
            at += 2
        elif value[at] == '"':
            word = "".join(text)
            return (word if word != "=" else '"="'), at + 1
        else:
            text.append(value[at])
            at += 1
    raise _DoubtfulError


def _after_comment(value: str, at: int) -> int:
    """The place after a comment (RFC 5322, 3.2.2): nested, with backslash pairs, and quotes meaning nothing inside."""
    depth = 0
    while at < len(value):
        if value[at] == "\\":
            at += 1
        elif value[at] == "(":
            depth += 1
        elif value[at] == ")":
            depth -= 1
            if depth == 0:
                return at + 1
        at += 1
    raise _DoubtfulError
