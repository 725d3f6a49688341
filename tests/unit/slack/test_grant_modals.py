"""The terms of a grant: what is typed is what is given, and what nobody can mean is told beside its field."""

from datetime import UTC, datetime, timedelta

import pytest

from agent.conversation import JsonObject
from approvals.decision import GrantTerms
from bot.parameters import BadFields
from bot.slack import metadata
from bot.slack.grant_modals import (
    CONDITION,
    CONDITION_MOST,
    DAY,
    SCOPE,
    SPAN,
    USES,
    WHICH,
    as_json,
    chosen_terms,
    confirm_modal,
    from_json,
    terms_modal,
)
from bot.slack.interactions import Place
from bot.slack.metadata import Carried
from sandbox.slack.blocks import check_view
from sandbox.slack.form import filled
from tests.unit.slack.any_cards import everything
from tests.unit.slack.cards import a_card

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)


def typed(**values: str) -> JsonObject:
    """The form as Slack sends it, with these fields filled in by the last word of their names."""
    blocks = terms_modal(a_card(), "{}")["blocks"]
    return filled(blocks, {f"grant.{name}": value for name, value in values.items()})  # type: ignore[arg-type]  # blocks


def test_untouched_it_is_the_narrowest_for_a_day() -> None:
    assert chosen_terms(typed(), NOW) == GrantTerms("thread", NOW + timedelta(days=1))


def test_all_terms_are_read() -> None:
    values = typed(scope="requester", which="where", condition=" args.amount <= 50 ", span="7d", uses="5")
    expected = GrantTerms("requester", NOW + timedelta(days=7), 5, "args.amount <= 50", exact=False)
    assert chosen_terms(values, NOW) == expected
    assert from_json(as_json(expected)) == expected


def test_a_day_that_is_picked_counts_before_the_span_and_ends_with_it() -> None:
    assert chosen_terms(typed(scope="anyone", day="2026-11-27"), NOW).until == datetime(2026, 11, 28, tzinfo=UTC)


@pytest.mark.parametrize(
    "values, field, words",
    [
        ({"which": "where"}, CONDITION, "Write the condition"),
        ({"condition": "args.amount <= 50"}, CONDITION, "leave it empty"),
        ({"day": "2026-11-24"}, DAY, "over"),
        ({"day": "2027-11-24"}, DAY, "At most 90 days"),
        ({"day": "9999-12-31"}, DAY, "must be a date"),
    ],
)
def test_what_nobody_can_mean_is_told_beside_its_field(values: dict[str, str], field: str, words: str) -> None:
    with pytest.raises(BadFields) as refusal:
        chosen_terms(typed(**values), NOW)
    assert words in refusal.value.problems[field]


@pytest.mark.parametrize("uses", ["0", "10001", "1.5", "²", "many"])
def test_how_often_is_a_number_within_bounds(uses: str) -> None:
    values = typed() | {USES: {"value": {"type": "number_input", "value": uses}}}
    with pytest.raises(BadFields) as refusal:
        chosen_terms(values, NOW)
    assert USES in refusal.value.problems


def test_a_form_that_says_nothing_gives_the_narrowest() -> None:
    values = typed()
    for each in (SCOPE, SPAN):
        values.pop(each)
    assert chosen_terms(values, NOW) == GrantTerms("thread", NOW + timedelta(hours=1))


def test_a_form_without_its_kind_of_arguments_gives_nothing() -> None:
    with pytest.raises(BadFields):
        chosen_terms({key: value for key, value in typed().items() if key != WHICH}, NOW)


@pytest.mark.parametrize(
    "changes",
    [
        {"scope": "everybody"},
        {"until": "tomorrow"},
        {"uses": "5"},
        {"exact": "yes"},
        {"until": None},
    ],
)
def test_terms_that_are_not_ours_are_not_read(changes: JsonObject) -> None:
    assert from_json({**as_json(GrantTerms("thread", NOW)), **changes}) is None


def test_the_longest_condition_fits_into_what_a_modal_carries() -> None:
    terms = GrantTerms("requester", NOW, 10_000, '"' * CONDITION_MOST, exact=False)
    carried = Carried("apr_" + "a" * 20, Place("C" * 12, "1" * 20, "1" * 20), "0" * 64, as_json(terms))
    assert len(metadata.written(carried)) < 3_000
    assert metadata.read(metadata.written(carried)) == carried


def test_the_words_of_a_grant_are_plain_text_with_what_is_hidden_spelt_out() -> None:
    view = confirm_modal(a_card(), "refund with exactly to=<!channel>\u202e*all*", "{}")
    check_view(view)
    assert "to=<!channel>⟨U+202E⟩*all*" in everything(view["blocks"])
