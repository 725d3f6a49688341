"""What `approvals.standing.Standing` promises, of the fake and of the Slack adapter against the sandbox's Slack."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace

import pytest

from agent.conversation import Identity
from agent.errors import ChannelDown, ChannelError
from approvals.standing import Standing
from bot.slack.standing import STRANGER, UNCHECKED, SlackStanding
from sandbox.clock import fresh, now
from sandbox.slack.directory import Team, User
from sandbox.slack.post import Post
from sandbox.slack.scenery import BOT_TOKEN, furnished
from sandbox.slack.server import serve
from sandbox.slack.standin import SlackStandIn
from tests.fakes import FakeStanding

HOME, ELSEWHERE = "T0SANDBOX", "T0OTHER"
GUESTS = "Guests of this Slack workspace cannot decide."


@dataclass
class Place:
    """A workspace whose accounts and groups a test may set."""

    standing: Standing
    account: Callable[..., None]
    group: Callable[[str, tuple[str, ...]], None]
    fail: Callable[[str], None]
    """Lets every look-up fail in this way."""

    async def check(self, user: str, team: str = HOME) -> str:
        return await self.standing.check(Identity(channel="slack", team=team, id=user))


def fake() -> Place:
    standing = FakeStanding()

    def fail(_kind: str) -> None:
        standing.is_down = True

    return Place(standing, standing.account, standing.groups.__setitem__, fail)


def real(slack: SlackStandIn) -> Place:
    directory = slack.workspace.directory

    def account(user: str, *flags: str, team: str = HOME) -> None:
        plain = User(user, user.lower(), user, team)
        directory.users[user] = replace(plain, **dict.fromkeys(flags, True))  # type: ignore[arg-type]  # its flags

    def fail(kind: str) -> None:
        for method in ("users.info", "usergroups.users.list"):
            slack.faults.next(method, kind, times=5, retry_after=60)

    standing = SlackStanding(BOT_TOKEN, f"{slack.workspace.base_url}/api/")
    return Place(standing, account, directory.groups.__setitem__, fail)


@pytest.fixture(params=["fake", "slack"])
async def place(request: pytest.FixtureRequest) -> AsyncIterator[Place]:
    if request.param == "fake":
        yield fake()
        return
    slack = furnished(now, fresh, Post(now, scale=0.001, patience=1))
    async with serve(slack):
        slack.add_team(Team(ELSEWHERE, "Other", "other"))
        yield real(slack)
        slack.faults.let_go()


async def test_a_member_may_decide(place: Place) -> None:
    place.account("U1")

    assert await place.check("U1") == ""


@pytest.mark.parametrize(
    "flag, reason",
    [
        ("is_restricted", GUESTS),
        ("is_ultra_restricted", GUESTS),
        ("deleted", "Your Slack account is deactivated, so you cannot decide."),
        ("is_bot", "A program cannot decide; it takes a person."),
    ],
)
async def test_guests_programs_and_the_deactivated_may_not(place: Place, flag: str, reason: str) -> None:
    place.account("U1", flag)

    assert await place.check("U1") == reason


@pytest.mark.parametrize("claimed", [HOME, ELSEWHERE])
async def test_somebody_of_another_workspace_may_not(place: Place, claimed: str) -> None:
    place.account("U1", team=ELSEWHERE)

    assert await place.check("U1", claimed) == STRANGER


async def test_somebody_whom_slack_does_not_know_may_not(place: Place) -> None:
    assert await place.check("U1") == UNCHECKED


async def test_who_was_a_member_a_moment_ago_is_looked_up_again(place: Place) -> None:
    place.account("U1")
    assert await place.check("U1") == ""

    place.account("U1", "is_restricted")

    assert await place.check("U1") == GUESTS


@pytest.mark.parametrize("kind", ["500", "429", "hang", "lost_answer", "error:missing_scope", "error:token_revoked"])
async def test_nobody_may_when_they_cannot_be_looked_up(place: Place, kind: str) -> None:
    place.account("U1")
    place.group("S1", ("U1",))
    place.fail(kind)

    assert await place.check("U1") == UNCHECKED
    with pytest.raises(ChannelError):
        await place.standing.members(HOME, "S1")


@pytest.mark.parametrize("channel", ["mail", "api", "cli"])
async def test_identities_of_other_places_are_none_of_its_business(place: Place, channel: str) -> None:
    place.fail("500")

    assert await place.standing.check(Identity.model_validate({"channel": channel, "id": "ada"})) == ""


async def test_a_group_has_the_members_that_it_has_now(place: Place) -> None:
    place.group("S1", ("U1", "U2"))
    assert await place.standing.members(HOME, "S1") == {"U1", "U2"}

    place.group("S1", ("U2",))

    assert await place.standing.members(HOME, "S1") == {"U2"}


async def test_a_group_that_is_not_there_has_no_members_but_an_error(place: Place) -> None:
    with pytest.raises(ChannelError):
        await place.standing.members(HOME, "S1")
    place.group("S1", ("U1",))
    with pytest.raises(ChannelError):
        await place.standing.members(ELSEWHERE, "S1")


async def test_no_slack_is_no_answer() -> None:
    standing = SlackStanding(BOT_TOKEN, "http://127.0.0.1:9/api/")

    assert await standing.check(Identity(channel="slack", team=HOME, id="U1")) == UNCHECKED
    with pytest.raises(ChannelDown):
        await standing.members(HOME, "S1")
