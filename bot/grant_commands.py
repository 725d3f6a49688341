"""`twokey grants`: what runs without being asked about, and how it is stopped."""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.terminal import Json, on_desk

if TYPE_CHECKING:
    from bot import shell

app = typer.Typer(no_args_is_help=True, help="Look at what runs without being asked about, and take it back.")


@app.command("list")
def list_grants(
    every: Annotated[bool, typer.Option("--all", help="Also those that have ended.")] = False, as_json: Json = False
) -> None:
    """What is let run, by whom, and how often it was; the soonest to end first."""
    from bot import grant_desk  # noqa: PLC0415 - see `on_desk`

    async def told(desk: "shell.Desk") -> str:
        found = await grant_desk.listed(desk, every=every)
        return grant_desk.as_json(desk, found) if as_json else grant_desk.table(desk, found)

    typer.echo(on_desk(told))


@app.command("revoke")
def revoke(grant_id: str, reason: Annotated[str, typer.Option(help="For the record.")] = "") -> None:
    """Have such calls asked about again, at once, as the person whose token is in TWOKEY_TOKEN."""
    from bot import grant_desk  # noqa: PLC0415 - see `on_desk`

    found = on_desk(lambda desk: grant_desk.revoke(desk, grant_id, reason))
    typer.echo(f"revoked {grant_id}; it was used {found.used} times")
