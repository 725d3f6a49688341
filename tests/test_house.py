"""The house rules that no linter knows: sizes, names, reasons, and that what is written elsewhere is true of the code.

See CONTRIBUTING.md for why each is a rule.
"""

import ast
import importlib.util
import re
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
import yaml

from tests.fixtures import ROOT
from tests.repository import comments, definitions, python_files, shown, tracked

MODULE_LINES, FUNCTION_LINES = 300, 40
BANNED = frozenset({"manager", "helper", "utils", "handler", "data", "info", "process", "common", "misc"})
ALLOWED = {
    "Process": "a process of the operating system, simulated",
    "_process": "one of those",
    "process": "the module of those",
    "call_exception_handler": "asyncio's name for a method of an event loop",
    "handle_DATA": "aiosmtpd calls it by this name",
    "handle_data": "html.parser.HTMLParser calls it by this name",
    "handle_startendtag": "html.parser.HTMLParser calls it by this name",
    "users_info": "Slack's name for a method that the sandbox answers",
    "conversations_info": "Slack's name for a method that the sandbox answers",
    "files_info": "Slack's name for a method that the sandbox answers",
}
PURE_IN_SLACK = (
    "arguments blocks buttons details form grant_modals home inputs interactions meaning metadata modals "
    "parts payloads plan_modals plans reminder rich said text typed windows"
)
PURE = frozenset(
    {
        "agent.approval",
        "agent.approval_events",
        "agent.context",
        "agent.conversation",
        "agent.effects",
        "agent.entries",
        "agent.errors",
        "agent.events",
        "agent.fact",
        "agent.grant",
        "agent.guardrail",
        "agent.openai_call",
        "agent.openai_chat",
        "agent.openai_json",
        "agent.openai_rejection",
        "agent.openai_responses",
        "agent.openai_retry",
        "agent.ports",
        "agent.redaction",
        "agent.reducer",
        "agent.state",
        "agent.thread",
        "agent.timing",
        "agent.tool",
        "agent.tools",
        "agent.verdict",
        "approvals.attempt",
        "approvals.audience",
        "approvals.ballot",
        "approvals.card",
        "approvals.circumstances",
        "approvals.condition",
        "approvals.decision",
        "approvals.gathering",
        "approvals.grant_words",
        "approvals.grants",
        "approvals.hindsight",
        "approvals.hours",
        "approvals.people",
        "approvals.policy",
        "approvals.policy_check",
        "approvals.policy_file",
        "approvals.policy_words",
        "approvals.ports",
        "approvals.quorum",
        "approvals.roster",
        "approvals.token",
        "approvals.visible",
        "bot.api.answers",
        "bot.api.bodies",
        "bot.api.reading",
        "bot.approval_texts",
        "bot.mail.addresses",
        "bot.mail.approval_mail",
        "bot.mail.attachments",
        "bot.mail.authentication",
        "bot.mail.automatic",
        "bot.mail.body",
        "bot.mail.charset",
        "bot.mail.email",
        "bot.mail.errors",
        "bot.mail.flowed",
        "bot.mail.form",
        "bot.mail.header_block",
        "bot.mail.html_text",
        "bot.mail.markup",
        "bot.mail.message",
        "bot.mail.mime_tree",
        "bot.mail.parsing",
        "bot.mail.providers",
        "bot.mail.rebuilt",
        "bot.mail.reply_marks",
        "bot.mail.reply_text",
        "bot.mail.reply_words",
        "bot.mail.sent",
        "bot.mail.shown",
        "bot.mail.smtp_address",
        "bot.mail.webhook",
        "bot.pages.form",
        "bot.pages.letters",
        "bot.pages.submission",
        "bot.pages.visible",
        "bot.pages.words",
        "bot.parameters",
        "bot.scrubber",
        *(f"bot.slack.{name}" for name in PURE_IN_SLACK.split()),
        "bot.standard_webhooks",
        "bot.turns",
        "store.chain",
        "store.codec",
        "store.facts",
        "store.grant_standings",
        "store.standings",
    }
)
SAYS_PURE = re.compile(r"\bPure\.")

SILENCED = re.compile(r"#\s*(noqa|type:\s*ignore|pragma:\s*no cover)", re.IGNORECASE)
WITH_REASON = re.compile(
    r"#\s*(noqa: [A-Z]+\d+(, ?[A-Z]+\d+)*|type: ignore\[[\w, -]+\]|pragma: no cover)\s*(#|-{1,2}|:)?\s*\w.{4,}"
)
FOREIGN = (
    (
        re.compile(r"https?://[^/\s\"'`)]*(pypi|pythonhosted|npmjs|registry|nexus|artifactory)", re.IGNORECASE),
        "a registry",
    ),
    (re.compile(r"^\s*(--)?(extra-|default-)?index-url|^\s*--find-links", re.MULTILINE), "where packages come from"),
    (re.compile(r"(?<![\w.$}>)/~-])/(home|root|Users|work)/\w"), "a path on somebody's machine"),
)


def test_no_module_is_longer_than_a_reader_keeps_in_mind() -> None:
    long = {each.place: each.lines for each in definitions() if each.kind == "module" and each.lines > MODULE_LINES}

    assert not long, long


def test_no_function_is_longer_than_a_screen() -> None:
    long = {
        each.place: each.lines
        for each in definitions()
        if each.kind == "function" and each.lines > FUNCTION_LINES
        if not each.place.startswith("store/migrations/versions/")  # a list of statements, not touched once released
    }

    assert not long, long


def test_no_name_says_nothing() -> None:
    empty = {
        f"{each.place}: {each.name}"
        for each in definitions()
        if each.words & BANNED and each.name not in ALLOWED and not each.name.startswith("test_")  # those are sentences
    }

    assert not empty, "\n".join(sorted(empty))


def test_each_module_begins_by_saying_what_lives_there() -> None:
    silent = [
        shown(path)
        for path in python_files()
        if path.stat().st_size
        and not path.read_text().removeprefix("#!/usr/bin/env python3\n").startswith(('"""', 'r"""'))
    ]

    assert not silent, silent


def test_each_silenced_check_names_its_code_and_its_reason() -> None:
    bare = [f"{place}: {text}" for place, text in comments() if SILENCED.search(text) and not WITH_REASON.search(text)]

    assert not bare, "\n".join(bare)


@pytest.mark.parametrize(
    "comment, accepted",
    [
        ("# noqa: S603 - fixed words", True),
        ("# type: ignore[arg-type]  # Bolt's own annotation is wrong", True),
        ("# pragma: no cover - only on Windows", True),
        ("# noqa: S603", False),
        ("# noqa", False),
        ("# type: ignore[arg-type]", False),
        ("# type: ignore  # because of reasons", False),
        ("# pragma: no cover", False),
    ],
)
def test_a_reason_is_told_from_none(comment: str, *, accepted: bool) -> None:
    assert SILENCED.search(comment)
    assert bool(WITH_REASON.search(comment)) is accepted


def test_nothing_tells_where_it_was_made() -> None:
    found = []
    for path in tracked():
        text = path.read_text(errors="replace")
        found += [f"{shown(path)} names {what}: {hit[0]}" for rule, what in FOREIGN if (hit := rule.search(text))]

    assert not found, "\n".join(found)


def test_each_pure_module_is_held_to_it_by_the_contract() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = project["tool"]["importlinter"]["contracts"]
    held = next(set(each["source_modules"]) for each in contracts if each["name"].startswith("the core is pure"))

    assert held == PURE, f"in one of pyproject.toml and this file only: {sorted(held ^ PURE)}"


def test_each_module_that_says_it_is_pure_is_held_to_it() -> None:
    ours = [
        path for path in python_files() if path.relative_to(ROOT).parts[0] in {"agent", "approvals", "bot", "store"}
    ]
    say = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in ours
        if SAYS_PURE.search(ast.get_docstring(ast.parse(path.read_text())) or "")
    }

    assert len(say) >= 15
    assert say <= PURE, f"say that they are pure, and nothing holds them to it: {sorted(say - PURE)}"


def test_env_example_lists_every_setting_and_no_other() -> None:
    if importlib.util.find_spec("bot.settings") is None:
        pytest.skip("bot.settings is not written yet")
    fields = import_module("bot.settings").Settings.model_fields
    listed = re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)

    assert sorted(listed) == sorted({(field.alias or name).upper() for name, field in fields.items()})


def test_each_glossary_term_written_as_code_is_in_the_code() -> None:
    glossary = ROOT / "docs" / "glossary.md"
    if not glossary.is_file():
        pytest.skip("docs/glossary.md is not written yet")
    first_cells = re.findall(r"^\|([^|]+)\|", glossary.read_text(), re.MULTILINE)
    terms = {term for cell in first_cells for term in re.findall(r"`(\w+)`", cell)}

    assert len(terms) >= 10, "terms that name a class or function stand in backticks in the first column"
    assert terms <= _names(), f"not in the code: {sorted(terms - _names())}"


def _names() -> set[str]:
    assigned = re.compile(r"^ *(?:type )?(\w+)(?:: TypeAlias)? *[=:]", re.MULTILINE)
    return {each.name for each in definitions()} | {
        name for path in python_files() for name in assigned.findall(path.read_text())
    }


def test_the_changelog_has_a_place_for_what_is_not_released_yet() -> None:
    assert re.search(r"^## \[Unreleased\]$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)


def prompts() -> list[Path]:
    """The prompts under version control."""
    return sorted(path for path in tracked() if path.parts[-2:-1] == ("prompts",) and path.suffix == ".md")


@pytest.mark.parametrize("path", prompts(), ids=shown)
def test_each_prompt_says_its_name_and_version(path: Path) -> None:
    _, front, body = path.read_text().split("---\n", 2)
    facts = yaml.safe_load(front)

    assert facts["name"] == path.stem
    assert facts["version"]
    assert body.strip()


def test_each_make_target_that_a_page_names_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    pages = [path for path in tracked() if path.suffix == ".md"]
    named = {
        name for path in pages for name in re.findall(r"(?:`|^ {4}|^\$ )make ([a-z]+)", path.read_text(), re.MULTILINE)
    }

    assert {"demo", "test", "check"} <= named
    assert named <= targets, f"no such target: {sorted(named - targets)}"
