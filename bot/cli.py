"""The command line: start processes, and do one-off jobs on the same code and settings (factor XII).

Exit status: 0 done, 1 refused or failed, 2 wrong use. Lists take `--json`.
"""

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from agent.errors import TwokeyError
from bot import audit_commands, grant_commands, policy_commands
from bot.terminal import Json, on_desk, settings_of

if TYPE_CHECKING:
    from approvals.card import Card

Ids = Annotated[list[str], typer.Argument(metavar="APPROVAL_ID...", help="One, or several calls of one plan.")]
Whole = Annotated[bool, typer.Option("--all", help="All that is open of the plan.")]

app = typer.Typer(no_args_is_help=True, add_completion=False, help="An agent that never turns a dangerous key alone.")
threads = typer.Typer(no_args_is_help=True, help="Look at threads, and stop them.")
approvals = typer.Typer(
    no_args_is_help=True, help="Look at approvals, and decide them (as the person of TWOKEY_TOKEN)."
)
admin = typer.Typer(no_args_is_help=True, help="Jobs for operators.")
app.add_typer(threads, name="threads")
app.add_typer(approvals, name="approvals")
app.add_typer(grant_commands.app, name="grants")
app.add_typer(policy_commands.app, name="policy")
admin.add_typer(audit_commands.app)  # without a name: its commands are the admin's own
app.add_typer(admin, name="admin")


def main() -> None:
    """The `twokey` command."""
    try:
        app()
    except TwokeyError as error:
        from approvals.visible import bracketed  # noqa: PLC0415 - only errors need it

        for line in str(error).splitlines():
            typer.echo(f"twokey: {bracketed(line)}", err=True)
        sys.exit(1)


@app.command()
def run(
    role: Annotated[Literal["all", "web", "worker"], typer.Option(help="Which work this process does.")] = "all",
    host: Annotated[str | None, typer.Option(help="Instead of HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Instead of PORT.")] = None,
) -> None:
    """Run the agent against the services named in the environment and `.env`."""
    from bot import serving  # noqa: PLC0415 - only this command needs the server

    given = {"host": host, "port": port}
    settings = settings_of(**{name: value for name, value in given.items() if value is not None})
    serving.run(settings, role)


@app.command()
def demo(
    headless: Annotated[
        bool, typer.Option("--headless", help="Play the scenario, print the transcript, exit.")
    ] = False,
    port: Annotated[int, typer.Option(help="Of the demo page; 0 for a free one.")] = 8700,
) -> None:
    """A workspace, a mailbox and a model to try Twokey with: nothing leaves this machine."""
    from bot import demo as show  # noqa: PLC0415 - the sandbox is not part of a normal start

    if not asyncio.run(show.headless() if headless else show.interactive(port)):
        raise typer.Exit(1)


@app.command()
def inbox() -> None:
    """A link that signs the owner of TWOKEY_TOKEN in to the inbox, once, within 15 minutes: where there is no mail."""
    typer.echo(on_desk(lambda desk: desk.inbox_link()))


# --- threads --------------------------------------------------------------------------------------------------------


@threads.command("list")
def list_threads(
    limit: int = 50,
    stalled: Annotated[bool, typer.Option("--stalled", help="Only those that failed too often.")] = False,
    as_json: Json = False,
) -> None:
    """The newest threads, what each waits for, and where it lives."""
    from bot import shell  # noqa: PLC0415 - see `on_desk`

    rows = on_desk(lambda desk: desk.threads.recent(limit, status="stalled" if stalled else ""))
    typer.echo(json.dumps(rows, indent=1) if as_json else shell.thread_table(rows))


@threads.command("show")
def show_thread(thread_id: str, as_json: Json = False) -> None:
    """One thread, event by event."""
    from bot import shell  # noqa: PLC0415 - see `on_desk`

    entries = on_desk(lambda desk: desk.entries(thread_id))
    typer.echo(shell.entries_json(entries) if as_json else shell.entries_text(entries))


@threads.command("cancel")
def cancel_thread(thread_id: str, reason: str = "") -> None:
    """Stop the work on a thread; its open approvals are cancelled."""
    on_desk(lambda desk: desk.cancel(thread_id, reason))
    typer.echo(f"cancelled {thread_id}")


@threads.command("revive")
def revive_thread(thread_id: str) -> None:
    """Try a stalled thread again, as a new message in it would."""
    on_desk(lambda desk: desk.revive(thread_id))
    typer.echo(f"revived {thread_id}")


# --- approvals ------------------------------------------------------------------------------------------------------


@approvals.command("list")
def list_approvals(
    every: Annotated[bool, typer.Option("--all", help="Also those that are decided.")] = False,
    mine: Annotated[
        bool, typer.Option("--mine", help="Only what waits for you (TWOKEY_TOKEN), or what you had a say in.")
    ] = False,
    as_json: Json = False,
) -> None:
    """What waits for people, the soonest to expire first."""
    from bot import approval_texts  # noqa: PLC0415 - see `on_desk`

    cards = on_desk(lambda desk: desk.cards(open_only=not every, mine=mine))
    typer.echo(approval_texts.cards_json(cards) if as_json else approval_texts.card_table(cards))


@approvals.command("show")
def show_approval(approval_id: str, as_json: Json = False) -> None:
    """One approval in full."""
    _show([on_desk(lambda desk: desk.card(approval_id))], as_json=as_json)


@approvals.command("approve")
def approve(  # noqa: PLR0913, PLR0917 - each is an option of the command
    approval_ids: Ids,
    arguments: Annotated[str, typer.Option(help="Changed arguments of one call, as a JSON object.")] = "",
    whole_plan: Whole = False,
    digest: Annotated[str, typer.Option(help="Only if what would run is still what `approvals show` said.")] = "",
    scope: Annotated[str, typer.Option("--for", help="Also let like calls run: of thread, requester or anyone.")] = "",
    until: Annotated[str, typer.Option(help="How long: 12h, 7d, 2026-12-01T18:00 (UTC).")] = "",
    uses: Annotated[int | None, typer.Option(help="How often at most.")] = None,
    where: Annotated[str, typer.Option(help="A condition (CEL over args) in place of exactly these arguments.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether that is what is meant.")] = False,
    as_json: Json = False,
) -> None:
    """Let calls run, as the person whose token is in TWOKEY_TOKEN; several of one plan all at once.

    With --for and --until like calls run from then on without being asked about; `twokey grants list` shows them.
    """
    from bot import approval_texts, grant_desk  # noqa: PLC0415 - see `on_desk`

    wish = grant_desk.Wish(scope, until, uses, where)
    if not wish:
        cards = on_desk(lambda desk: desk.approve(approval_ids, arguments, whole_plan=whole_plan, digest=digest))
    elif whole_plan:
        raise typer.BadParameter("goes with single calls, not with --all", param_hint="--for")
    else:
        shown = on_desk(lambda desk: grant_desk.proposed(desk, approval_ids, arguments, wish))
        for each in shown.words:
            typer.echo(f"would run from now on without being asked about: {approval_texts.spelt_out(each)}", err=True)
        if not yes and sys.stdin.isatty():
            typer.confirm("Is that what you mean?", abort=True, err=True)
        cards = on_desk(lambda desk: grant_desk.approve(desk, shown))
    _show(cards, as_json=as_json)


@approvals.command("reject")
def reject(approval_ids: Ids, reason: str = "", whole_plan: Whole = False, as_json: Json = False) -> None:
    """Do not let calls run, as the person whose token is in TWOKEY_TOKEN; several of one plan all at once."""
    _show(on_desk(lambda desk: desk.reject(approval_ids, reason, whole_plan=whole_plan)), as_json=as_json)


@approvals.command("answer")
def answer(approval_id: str, text: str, as_json: Json = False) -> None:
    """Answer a question of the agent's, or give a call's result in place of running it (as in TWOKEY_TOKEN)."""
    _show(on_desk(lambda desk: desk.answer(approval_id, text)), as_json=as_json)


@approvals.command("ask")
def ask(approval_id: str, text: str, as_json: Json = False) -> None:
    """Ask the agent about a call that waits, without deciding; `approvals show` has its answer a moment later."""
    _show([on_desk(lambda desk: desk.ask(approval_id, text))], as_json=as_json)


def _show(cards: "list[Card]", *, as_json: bool) -> None:
    from bot import approval_texts  # noqa: PLC0415 - see `on_desk`

    typer.echo(approval_texts.cards_json(cards) if as_json else approval_texts.cards_text(cards))


# --- admin ----------------------------------------------------------------------------------------------------------


@admin.command()
def migrate() -> None:
    """Bring the database's schema to what this release needs. The only thing that changes it."""
    from bot import shell  # noqa: PLC0415 - see `on_desk`

    before, after = asyncio.run(shell.migrate(settings_of()))
    typer.echo(f"at {after} already" if before == after else f"migrated from {before or 'nothing'} to {after}")


@admin.command()
def purge(
    older_than: Annotated[str, typer.Option(help="Days, weeks or hours: 90d, 12w.")] = "90d",
    finished_threads: Annotated[
        bool, typer.Option("--threads", help="Also finished threads with their log (see AUDIT_LOG_RETENTION_DAYS).")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count only.")] = False,
) -> None:
    """Delete old delivery names, raw mails and settled cards. Open approvals are never touched."""
    from bot import shell  # noqa: PLC0415 - see `on_desk`

    age = shell.age(older_than)
    gone = on_desk(lambda desk: desk.purge(age, threads=finished_threads, dry_run=dry_run))
    typer.echo(shell.purged_text(gone, dry_run=dry_run))


@admin.command()
def token() -> None:
    """A new bearer token for a person or service, and the line for people.yaml. Nothing is stored."""
    from bot import shell  # noqa: PLC0415 - see `on_desk`

    secret, digest = shell.new_token()
    typer.echo(f"token (give it to its owner, it is shown only now): {secret}")
    typer.echo(f"for people.yaml, under api_tokens: {digest}")
