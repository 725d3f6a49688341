"""Tokens: each for one purpose, one approval, one person; a changed secret does not break what was sent before."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals import token
from approvals.token import BadToken

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
OLD, NEW = "old-0123456789-abcdefghijklmnopqrstuv", "new-0123456789-abcdefghijklmnopqrstuv"
APPROVAL, OTHER = "apr_" + "a2" * 10, "apr_" + "b3" * 10
THREAD = "thr_" + "c4" * 10
AGENT = "agent@acme.example"
IDS = st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=20, max_size=20).map("apr_{}".format)


def link(**changes: object) -> str:
    parts = {"approval_id": APPROVAL, "person": "dana", "secrets": [NEW], "expires": LATER, **changes}
    return token.link_token(**parts)  # type: ignore[arg-type]  # as the test gives them


def kind(text: str, now: datetime = NOW, secrets: tuple[str, ...] = (NEW,)) -> str:
    with pytest.raises(BadToken) as caught:
        token.read_link_token(text, secrets, now)
    return caught.value.kind


@given(IDS, st.text(min_size=1, max_size=40))
def test_a_link_says_what_it_was_made_for(approval_id: str, person: str) -> None:
    text = token.link_token(approval_id, person, [NEW], LATER)

    assert token.read_link_token(text, [NEW], NOW) == token.LinkClaim(approval_id, person, LATER)
    assert text.replace(".", "").replace("-", "").replace("_", "").isalnum()


def test_a_link_ends_at_its_moment() -> None:
    assert token.read_link_token(link(), [NEW], LATER - timedelta(seconds=1)).person == "dana"
    assert kind(link(), LATER) == "expired"


def test_any_change_of_a_link_is_a_forgery() -> None:
    text = link()
    for place, character in enumerate(text[:-1]):  # the last one carries unused bits of base64
        changed = text[:place] + ("A" if character != "A" else "B") + text[place + 1 :]
        assert kind(changed) == "forged"


@pytest.mark.parametrize("text", ["", ".", "a.b", "WyJhIl0", "ü.ü", "W10.x", "a" * 10_000])
def test_what_is_no_link_is_a_forgery(text: str) -> None:
    assert kind(text) == "forged"


def test_a_forged_link_is_never_called_expired() -> None:
    assert kind(link(secrets=[OLD], expires=NOW - timedelta(days=1))) == "forged"


def test_a_token_for_one_purpose_is_none_for_another() -> None:
    assert kind(token.reply_token(APPROVAL, "dana", [NEW])) == "forged"
    assert not token.check_csrf(token.reply_token(APPROVAL, "dana", [NEW]), APPROVAL, "dana", [NEW])
    assert not token.check_reply_token(token.csrf_token(APPROVAL, "dana", [NEW]), APPROVAL, "dana", [NEW])


def test_a_new_secret_signs_and_the_old_one_still_verifies() -> None:
    both = (NEW, OLD)

    assert token.read_link_token(link(secrets=[OLD]), both, NOW).approval_id == APPROVAL
    assert link(secrets=both) == link(secrets=[NEW])
    assert kind(link(secrets=both), secrets=(OLD,)) == "forged"
    assert token.check_reply_token(token.reply_token(APPROVAL, "dana", [OLD]), APPROVAL, "dana", both)
    assert token.reply_token(APPROVAL, "dana", both) == token.reply_token(APPROVAL, "dana", [NEW])
    assert token.check_csrf(token.csrf_token("n", "l", [OLD]), "n", "l", both)


@pytest.mark.parametrize("secrets", [[], ["short"], [NEW, "short"], NEW])
def test_nothing_is_signed_with_a_weak_secret(secrets: list[str]) -> None:
    with pytest.raises(ValueError, match="32 characters"):
        token.link_token(APPROVAL, "dana", secrets, LATER)
    with pytest.raises(ValueError, match="32 characters"):
        token.reply_token(APPROVAL, "dana", secrets)


def test_a_reply_address_leads_back_to_its_approval() -> None:
    address = token.reply_address(AGENT, APPROVAL, "dana", [NEW])

    assert token.read_reply_address(address) == (APPROVAL, token.reply_token(APPROVAL, "dana", [NEW]))
    assert token.read_reply_address(f"<{address.upper()}>") == token.read_reply_address(address)
    assert token.read_thread_address(address) is None


def test_a_thread_address_leads_back_to_its_thread() -> None:
    address = token.thread_address(AGENT, THREAD, [NEW])

    assert token.read_thread_address(address) == (THREAD, token.thread_token(THREAD, [NEW]))
    assert token.read_reply_address(address) is None
    assert token.check_thread_token(token.thread_token(THREAD, [NEW]).upper(), THREAD, [NEW])
    assert not token.check_thread_token(token.thread_token(THREAD, [OLD]), THREAD, [NEW])


@given(IDS)
def test_the_longest_agent_address_still_fits_a_local_part(approval_id: str) -> None:
    agent = "a" * token.MAX_AGENT_LOCAL_PART + "@acme.example"

    local = token.reply_address(agent, approval_id, "dana", [NEW]).partition("@")[0]

    assert len(local) == 64


@pytest.mark.parametrize(
    "agent, thing",
    [("a" * 25 + "@acme.example", APPROVAL), (AGENT, "apr_short"), (AGENT, "usr_" + "a" * 20), (AGENT, "")],
)
def test_an_address_that_would_lead_nowhere_is_not_made(agent: str, thing: str) -> None:
    with pytest.raises(ValueError, match="no reply address"):
        token.reply_address(agent, thing, "dana", [NEW])


@pytest.mark.parametrize(
    "address",
    [
        "",
        AGENT,
        "agent+a@acme.example",
        f"agent+a.{'a' * 20}@acme.example",
        f"agent+a.{'a' * 20}.{'b' * 15}@acme.example",
        f"agent+a.{'a' * 20}.{'b' * 16}c@acme.example",
        f"agent+a.{'1' * 20}.{'b' * 16}@acme.example",
        f"agent+x.{'a' * 20}.{'b' * 16}@acme.example",
        f"agent+a.{'a' * 20}.{'b' * 16}@acme.example, c@d.example",
    ],
)
def test_another_address_is_no_reply_address(address: str) -> None:
    assert token.read_reply_address(address) is None


def test_a_reply_token_is_one_persons_for_one_approval() -> None:
    mac = token.reply_token(APPROVAL, "dana", [NEW])

    assert token.check_reply_token(mac, APPROVAL, "dana", [NEW])
    assert not token.check_reply_token(mac, APPROVAL, "lee", [NEW])
    assert not token.check_reply_token(mac, OTHER, "dana", [NEW])
    assert not token.check_reply_token("", APPROVAL, "dana", [NEW])
    assert not token.check_reply_token("ü" * 16, APPROVAL, "dana", [NEW])


def test_a_form_is_one_browsers_for_one_page() -> None:
    sent = token.csrf_token("nonce", "link", [NEW])

    assert token.check_csrf(sent, "nonce", "link", [NEW])
    assert not token.check_csrf(sent, "another", "link", [NEW])
    assert not token.check_csrf(sent, "nonce", "another", [NEW])
    assert not token.check_csrf(token.csrf_token("", "link", [NEW]), "", "link", [NEW])
    assert not token.check_csrf("", "nonce", "link", [NEW])
