"""Whatever JSON comes as blocks, views or chunks is taken or refused; the validator itself never breaks."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.slack.blocks import check_chunks, check_message, check_view
from sandbox.slack.elements import ELEMENTS, RECORDS
from sandbox.slack.limits import BLOCKS, CHUNKS, VIEWS
from sandbox.slack.refused import Refused
from sandbox.slack.stored import as_stored

TABLES = (BLOCKS, ELEMENTS, RECORDS, CHUNKS, VIEWS)
KEYS = sorted({"type", "block_id", "rows"} | {key for table in TABLES for fields in table.values() for key in fields})
KINDS = sorted({kind for table in TABLES for kind in table} | {"plain_text", "mrkdwn"})
PLAIN = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(KINDS)
ANYTHING = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
)


@pytest.mark.parametrize("check", [check_message, check_view, check_chunks])
@given(value=ANYTHING | st.lists(ANYTHING, max_size=4))
def test_any_json_is_taken_or_refused(check: Callable[[object], object], value: object) -> None:
    with suppress(Refused):
        check(value)


@given(value=st.dictionaries(st.sampled_from(KEYS), st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=2))))
def test_what_is_stored_keeps_all_that_was_given(value: dict[str, object]) -> None:
    kept = as_stored(value, lambda prefix: f"{prefix}1")
    assert value.keys() <= kept.keys()
