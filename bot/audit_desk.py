"""What the commands for auditors do, and how it reads on a terminal."""

import sys
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TextIO

from agent.conversation import Identity
from agent.errors import ConfigError, Refused
from bot.approval_texts import spelt_out
from bot.shell import Desk
from store import export as handing_out
from store.chain import Finding
from store.facts import csv_head, csv_line, json_line
from store.redacting import Redacted, Redactor
from store.verify import Verified, Verifier

MOST_LISTED = 1_000
"""Findings that a report in JSON lists; it counts all."""

# --- export ---------------------------------------------------------------------------------------------------------


async def export(desk: Desk, since: datetime, before: datetime | None, format: str, output: Path | None) -> int:  # noqa: A002 - as the option
    """Write the facts, in constant memory; how many there were."""
    count, line = 0, csv_line if format == "csv" else json_line
    with _opened(output) as out:
        if format == "csv":
            out.write(csv_head())
        async for each in handing_out.facts(desk.service.database, since=since, before=before):
            out.write(line(each))
            count += 1
    return count


@contextmanager
def _opened(output: Path | None) -> Iterator[TextIO]:
    """A new file for its owner's eyes, gone again if it could not be finished; or standard output."""
    if output is None:
        yield sys.stdout
        sys.stdout.flush()
        return
    try:
        output.touch(mode=0o600, exist_ok=False)
        file = output.open("w", encoding="utf-8", newline="")
    except FileExistsError:
        raise ConfigError(f"--output: {output} is there already; an export is evidence, never overwritten") from None
    except OSError as error:
        raise ConfigError(f"--output: {output} cannot be written: {error.strerror}") from None
    try:
        with file:
            yield file
    except BaseException:
        output.unlink()
        raise


# --- verify ---------------------------------------------------------------------------------------------------------


@dataclass
class Report:
    """What a verification found."""

    threads: int = 0
    events: int = 0
    redacted: int = 0
    """Events whose text was taken out, on record."""
    compared: int = 0
    """Lines of the earlier export."""
    expired: int = 0
    """Lines of threads that a purge may have taken, by their age."""
    seconds: float = 0.0
    found: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether all is as it was written."""
        return not self.found


async def verify(desk: Desk, against: Path | None, tell: Callable[[Finding], None] | None) -> Report:
    """Recompute every chain; with an earlier export, hold the database against it too."""
    report, began = Report(), time.monotonic()

    def note(each: Finding) -> None:
        if tell is not None:
            tell(each)
        elif len(report.findings) < MOST_LISTED:
            report.findings.append(each)

    seen: Verified = await Verifier(desk.service.database, now=desk.service.clock.now()).run(note)
    report.threads, report.events, report.redacted = seen.threads, seen.events, seen.redacted
    report.found = seen.findings
    if against is not None:
        kept = timedelta(days=desk.service.settings.audit_log_retention_days)
        with _lines(against) as lines:
            compared = await handing_out.compare(
                desk.service.database, lines, note, expired=desk.service.clock.now() - kept
            )
        report.compared, report.expired = compared.lines, compared.expired
        report.found += compared.findings
    report.seconds = round(time.monotonic() - began, 3)
    return report


@contextmanager
def _lines(path: Path) -> Iterator[TextIO]:
    try:
        with path.open(encoding="utf-8") as file:
            yield file
    except OSError as error:
        raise ConfigError(f"--against: {path} cannot be read: {error.strerror}") from None


def finding_text(each: Finding) -> str:
    """A line. Whoever forged the log may have written for this terminal, too."""
    return f"{spelt_out(each.thread)} event {each.seq}: {each.what}: {spelt_out(each.said)}"


def report_text(report: Report) -> str:
    """What was looked at, and whether it is whole."""
    speed = f"{report.events / report.seconds:,.0f} a second" if report.seconds else "at once"
    lines = [f"{report.threads} threads, {report.events} events ({speed}), {report.redacted} of them redacted"]
    if report.compared:
        old = f"; {report.expired} are of threads old enough to have been purged" if report.expired else ""
        lines.append(f"{report.compared} lines of the export compared{old}")
    lines.append("whole" if report.is_whole else f"{report.found} findings: the log is not as it was written")
    return "\n".join(lines)


# --- redact ---------------------------------------------------------------------------------------------------------


async def redact_thread(desk: Desk, thread_id: str, seqs: Collection[int], reason: str) -> Redacted:
    """Take personal text out of these events, or of all of the thread."""
    return await _redactor(desk, reason).thread(thread_id, seqs)


async def redact_person(desk: Desk, who: str, reason: str) -> tuple[Redacted, list[str]]:
    """Take it out wherever the person is named; and what could not be done now, in words."""
    redactor, done, busy = _redactor(desk, reason), Redacted(), []
    for thread_id, seqs in (await redactor.person(_names(desk, who))).items():
        try:
            done += await redactor.thread(thread_id, seqs)
        except Refused as refusal:
            busy.append(str(refusal))
    return done, busy


def _redactor(desk: Desk, reason: str) -> Redactor:
    me = desk.me()
    return Redactor(desk.threads, Identity(channel="cli", id=me.id), reason)


def _names(desk: Desk, who: str) -> set[str]:
    """What channels call the person; who is not in people.yaml any more is named by what a channel calls them."""
    person = desk.service.deployment.directory.person(who)
    return {who, *person.slack.values(), *person.email} if person else {who}
