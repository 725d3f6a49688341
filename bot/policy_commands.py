"""`twokey policy`: what the policy says of a call and why, and what another policy would have said of all of them."""

from pathlib import Path
from typing import Annotated

import typer

from bot.terminal import Json, moment, on_desk

app = typer.Typer(no_args_is_help=True, help="Ask the policy: why it wants a person, and what a change would change.")

CHANGES = 3
"""Exit status of a test that found some. 1 is that it could not be done, 2 wrong use."""


@app.command()
def explain(
    thread_id: Annotated[str, typer.Argument(metavar="THREAD")],
    call: Annotated[str, typer.Argument(metavar="CALL", help="Id of a call of that thread, or of its approval.")],
    as_json: Json = False,
) -> None:
    """Each rule in order and what became of it, which decided, and whom it takes: by policy.yaml as it is now, on the
    thread as it was when the agent proposed the call."""
    from bot import policy_desk  # noqa: PLC0415 - see `on_desk`

    answer = on_desk(lambda desk: policy_desk.explain(desk, thread_id, call))
    typer.echo(policy_desk.answer_json(answer) if as_json else policy_desk.answer_text(answer))


@app.command("test")
def hold_against_past(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A policy: policy.yaml after an edit, or another file.")],
    since: Annotated[str, typer.Option(help="Only calls from this moment on: 2026-11-01, or 2026-11-01T09:00Z.")] = "",
    as_json: Json = False,
) -> None:
    """Hold a policy against the calls of the past and say what it would have done otherwise. Changes nothing. Exit
    status 0 when nothing would change, 3 when something would."""
    from bot import policy_desk  # noqa: PLC0415 - see `on_desk`

    first = moment(since, "--since") if since else None
    report, doubts = on_desk(lambda desk: policy_desk.hold_against_past(desk, file, first))
    for doubt in doubts:
        typer.echo(f"twokey: {doubt}", err=True)
    typer.echo(policy_desk.report_json(report) if as_json else policy_desk.report_text(report))
    if report.changes:
        raise typer.Exit(CHANGES)
