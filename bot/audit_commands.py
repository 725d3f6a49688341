"""`twokey admin` for auditors: hand the log out, prove that it is whole, take personal text out of it."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from bot.terminal import Json, moment, on_desk

app = typer.Typer()


@app.command("export-audit-log")
def export_audit_log(
    since: Annotated[str, typer.Option(help="From this moment on: 2026-11-01, or 2026-11-01T09:00+01:00; UTC.")],
    until: Annotated[str, typer.Option(help="Up to this moment, not including it.")] = "",
    format: Annotated[Literal["csv", "jsonl"], typer.Option(help="For people, or for machines.")] = "jsonl",  # noqa: A002 - the option's name
    output: Annotated[Path | None, typer.Option(help="A new file, readable by its owner only.")] = None,
) -> None:
    """Who asked, what was asked, by which rule, who decided, and what came of it: in the order it was written."""
    from bot import audit_desk  # noqa: PLC0415 - see `on_desk`

    first, last = moment(since, "--since"), moment(until, "--until") if until else None
    written = on_desk(lambda desk: audit_desk.export(desk, first, last, format, output))
    typer.echo(f"{written} facts" + (f" in {output}" if output else ""), err=True)


@app.command("verify-audit-log")
def verify_audit_log(
    against: Annotated[Path | None, typer.Option(help="An earlier export in JSON lines, kept elsewhere.")] = None,
    as_json: Json = False,
) -> None:
    """Recompute every thread's chain and name whatever is not as it was written. Exit status 1 when anything is not."""
    from bot import audit_desk  # noqa: PLC0415 - see `on_desk`

    tell = None if as_json else lambda each: typer.echo(audit_desk.finding_text(each))
    report = on_desk(lambda desk: audit_desk.verify(desk, against, tell))
    typer.echo(json.dumps(asdict(report), indent=1) if as_json else audit_desk.report_text(report))
    if not report.is_whole:
        raise typer.Exit(1)


@app.command()
def redact(
    thread_id: Annotated[str, typer.Argument(help="The thread; left out with --person.")] = "",
    seq: Annotated[list[int] | None, typer.Option(help="Only this event of the thread; may be given again.")] = None,
    person: Annotated[str, typer.Option(help="An id of people.yaml, a mail address or a Slack user id.")] = "",
    reason: Annotated[str, typer.Option(help="Kept with the record; no personal text, please.")] = "",
) -> None:
    """Take personal text out of a thread, or wherever a person is named, as the person of TWOKEY_TOKEN. There is no way
    back; the chain stays whole, and the log says who did it."""
    from bot import audit_desk  # noqa: PLC0415 - see `on_desk`

    if bool(thread_id) == bool(person) or (person and seq):
        raise typer.BadParameter("give a thread (and --seq, where it is not all of it), or --person")
    if person:
        done, busy = on_desk(lambda desk: audit_desk.redact_person(desk, person, reason))
    else:
        done, busy = on_desk(lambda desk: audit_desk.redact_thread(desk, thread_id, seq or (), reason)), []
    typer.echo(f"redacted {done.events} events; deleted {done.mails} mails as they came in")
    for each in busy:
        typer.echo(f"twokey: {each}", err=True)
    if busy:
        raise typer.Exit(1)
