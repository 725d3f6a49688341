"""Who counts as whom while people are away, and by the groups they are in."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from agent.verdict import Approvers
from approvals.people import Away, Directory, PeopleFile, Person, problems_in
from approvals.policy import objection
from approvals.roster import Roster

NOW = datetime(2026, 12, 24, 12, tzinfo=UTC)
HOLIDAYS = (Away.model_validate({"from": "2026-12-20", "until": "2027-01-06"}),)

ADA = Person(id="ada", name="Ada", roles=("support",))
DANA = Person(id="dana", name="Dana", roles=("lead",), deputies=("ada", "lee"), away=HOLIDAYS)
LEE = Person(id="lee", name="Lee", roles=("finance",), deputies=("mia",), away=HOLIDAYS)
MIA = Person(id="mia", name="Mia")
PEOPLE = (ADA, DANA, LEE, MIA)
LEADS = Approvers(roles=("lead",))


def roster(*people: Person, now: datetime = NOW) -> Roster:
    return Roster(Directory(people or PEOPLE), now)


def ids(people: tuple[Person, ...]) -> list[str]:
    return [person.id for person in people]


def test_a_deputy_holds_the_roles_of_whoever_is_away() -> None:
    assert roster().roles_of(ADA) == {"support", "lead"}
    assert ids(roster().holders("lead")) == ["ada", "dana", "lee"]


def test_a_deputy_is_nobody_else_while_everybody_is_there() -> None:
    back = roster(now=datetime(2027, 1, 7, 0, 0, tzinfo=UTC))

    assert back.roles_of(ADA) == {"support"}
    assert back.stands_for(ADA) == ()


def test_deputies_of_deputies_are_none() -> None:
    assert ids(roster().stands_for(LEE)) == ["dana"]
    assert ids(roster().stands_for(MIA)) == ["lee"]
    assert roster().roles_of(MIA) == {"finance"}


def test_a_deputy_is_meant_where_the_policy_names_the_person() -> None:
    named = Approvers(people=("dana",))

    assert objection(named, ADA, roster(), None) == ""
    assert objection(named, MIA, roster(), None) == "Only these may decide this: dana."


def test_whoever_is_away_may_decide_all_the_same() -> None:
    assert objection(LEADS, DANA, roster(), None) == ""


@pytest.mark.parametrize("requester", [ADA, DANA])
def test_the_second_person_is_neither_the_requester_nor_who_stands_in_for_them(requester: Person) -> None:
    second = Approvers(roles=("lead", "support"), requester=False)

    assert "second person" in objection(second, ADA, roster(), requester)


def test_a_deputy_may_be_the_second_person_when_somebody_else_asked() -> None:
    assert objection(Approvers(roles=("lead",), requester=False), ADA, roster(), MIA) == ""


def test_what_is_for_somebody_away_reaches_the_deputies_that_are_there() -> None:
    assert ids(roster().reached([DANA])) == ["ada"]
    assert ids(roster().reached([DANA, ADA])) == ["ada"]


def test_it_reaches_the_person_when_no_deputy_is_there() -> None:
    alone = DANA.model_copy(update={"deputies": ("lee",)})

    assert ids(roster(alone, LEE, MIA).reached([alone])) == ["dana"]
    assert ids(roster(DANA.model_copy(update={"deputies": ()})).reached([DANA])) == ["dana"]


def test_members_of_a_group_hold_its_role_and_so_do_their_deputies() -> None:
    live = Roster(Directory(PEOPLE), NOW, {"treasury": frozenset({"dana"})})

    assert ids(live.holders("treasury")) == ["ada", "dana", "lee"]


def test_a_group_that_could_not_be_looked_up_is_said_to_be_the_reason() -> None:
    blind = Roster(Directory(PEOPLE), NOW, unknown=frozenset({"treasury"}))
    both = Approvers(roles=("treasury", "lead"))

    expected = "I could not check with Slack who is in treasury; nothing was decided; try again."
    assert objection(both, MIA, blind, None) == expected
    assert objection(both, DANA, blind, None) == ""
    assert objection(LEADS, MIA, blind, None) == "Only these may decide this: role lead."
    assert objection(both, None, blind, None) == "You are not in this deployment's list of people."


@pytest.mark.parametrize(
    "zone, moment, away",
    [
        ("Europe/Berlin", datetime(2026, 12, 19, 22, 59, tzinfo=UTC), False),
        ("Europe/Berlin", datetime(2026, 12, 19, 23, 0, tzinfo=UTC), True),
        ("America/New_York", datetime(2026, 12, 20, 4, 59, tzinfo=UTC), False),
        ("America/New_York", datetime(2027, 1, 7, 4, 59, tzinfo=UTC), True),
        ("Europe/Berlin", datetime(2027, 1, 6, 22, 59, tzinfo=UTC), True),
        ("Europe/Berlin", datetime(2027, 1, 6, 23, 0, tzinfo=UTC), False),
    ],
)
def test_days_are_those_of_the_place_where_the_person_is(zone: str, moment: datetime, away: bool) -> None:
    assert DANA.model_copy(update={"timezone": zone}).is_away(moment) is away


def test_until_further_notice() -> None:
    gone = ADA.model_copy(update={"away": (Away.model_validate({"from": date(2026, 1, 1)}),)})

    assert gone.is_away(NOW + timedelta(days=9_999))
    assert not gone.is_away(datetime(2025, 12, 31, tzinfo=UTC))


@st.composite
def crowds(draw: st.DrawFn) -> tuple[Person, ...]:
    names = ["a", "b", "c", "d"]
    some = st.lists(st.sampled_from(names), unique=True, max_size=3)
    return tuple(
        Person(
            id=name,
            name=name,
            roles=tuple(draw(st.sets(st.sampled_from(["x", "y"])))),
            deputies=tuple(each for each in draw(some) if each != name),
            away=draw(st.sampled_from([(), HOLIDAYS])),
        )
        for name in names
    )


APPROVERS = st.builds(
    Approvers,
    roles=st.lists(st.sampled_from(["x", "y"]), max_size=2).map(tuple),
    people=st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=2).map(tuple),
    requester=st.booleans(),
)


@given(crowds(), APPROVERS, st.integers(0, 3), st.integers(0, 3))
def test_whoever_may_decide_is_meant_or_stands_in_for_who_is(
    crowd: tuple[Person, ...], approvers: Approvers, decider: int, requester: int
) -> None:
    who, asked = crowd[decider], crowd[requester]
    if objection(approvers, who, roster(*crowd), asked) != "":
        return
    principals = [each for each in crowd if who.id in each.deputies and each.is_away(NOW)]
    meant = [p for p in (who, *principals) if p.id in approvers.people or set(p.roles) & set(approvers.roles)]
    assert meant
    if not approvers.requester:
        assert asked.id not in {who.id, *(each.id for each in principals)}


@given(crowds(), st.sets(st.integers(0, 3)))
def test_nobody_is_reached_twice_and_somebody_is_reached_for_each(
    crowd: tuple[Person, ...], concerned: set[int]
) -> None:
    people = [crowd[each] for each in sorted(concerned)]
    found = ids(roster(*crowd).reached(people))
    assert len(found) == len(set(found))
    for person in people:
        assert {person.id, *person.deputies} & set(found)


def test_the_files_timezone_is_that_of_whoever_says_none() -> None:
    file = PeopleFile.model_validate(
        {
            "timezone": "Europe/Berlin",
            "people": {"ada": {"name": "Ada"}, "lee": {"name": "Lee", "timezone": "Asia/Tokyo"}},
        }
    )

    assert [person.timezone for person in Directory.of(file).people] == ["Europe/Berlin", "Asia/Tokyo"]


@pytest.mark.parametrize(
    "deputy, complaint",
    [
        ("lee", "there is no person named lee; there are: ada, crm"),
        ("ada", "their own deputy"),
        ("crm", "a service never decides"),
    ],
)
def test_a_deputy_must_be_another_person(deputy: str, complaint: str) -> None:
    people = {"ada": {"name": "Ada", "deputies": [deputy]}, "crm": {"name": "CRM", "service": True}}

    ((where, what),) = problems_in(PeopleFile.model_validate({"people": people}))

    assert where == ("people", "ada", "deputies", 0)
    assert complaint in what


@pytest.mark.parametrize(
    "fields, complaint",
    [
        ({"timezone": "Mars/Olympus"}, "there is no time zone 'Mars/Olympus'"),
        ({"away": [{"from": "2027-01-06", "until": "2026-12-20"}]}, "`until` is before `from`"),
        ({"away": [{"from": "soon"}]}, "date"),
        ({"quiet": {"from": 1320, "to": "07:00"}}, "in quotes"),
    ],
)
def test_hours_and_days_that_cannot_be_are_refused(fields: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        PeopleFile.model_validate({"people": {"ada": {"name": "Ada", **fields}}})
