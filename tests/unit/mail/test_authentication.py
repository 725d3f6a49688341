"""From is believed only for a verdict by a server that we trust, for exactly that domain, said without doubt."""

import re

import authres  # type: ignore[import-untyped]  # it has no annotations
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.mail.authentication import authenticate, parse_results
from bot.mail.email import Mailbox, Verdict, Verdicts
from bot.mail.parsing import Reading
from tests.fixtures import fixture_dir
from tests.unit.mail.letters import letter, read

ANN = Mailbox("ann@my-corp.example")
TRUSTED = frozenset({"mx.host.example"})


def _proved(*fields: str) -> bool:
    return authenticate(ANN, fields, trusted_ids=TRUSTED).proved


@pytest.mark.parametrize(
    "field",
    [
        "mx.host.example; dmarc=pass header.from=my-corp.example",
        "mx.host.example 1; spf=pass smtp.mailfrom=x.example; dmarc=pass (p=REJECT) header.from=My-Corp.example",
        "MX.host.example; dkim=pass header.d=other.example; dkim=pass header.d=my-corp.example header.s=s1",
        'mx.host.example; dkim=pass reason="good; signature" header.d=my-corp.example',
        "(trace; (nested) comment) mx.host.example ; dmarc = pass header.from = my-corp.example",
        "mx.host.example; dmarc=pass action=none header.from=my-corp.example;compauth=pass reason=100",
    ],
)
def test_an_aligned_pass_by_the_trusted_server_proves_from(field: str) -> None:
    assert _proved(field)


@pytest.mark.parametrize(
    "field",
    [
        "mx.host.example; none",
        "mx.host.example; spf=pass smtp.mailfrom=my-corp.example",
        "mx.host.example; dmarc=none header.from=my-corp.example",
        "mx.host.example; dmarc=fail header.from=my-corp.example; dkim=pass header.d=my-corp.example",
        "mx.host.example; dmarc=pass header.from=corp.example",
        "mx.host.example; dmarc=pass header.from=evil.my-corp.example",
        "mx.host.example; dmarc=pass",
        "mx.host.example; dmarc=fail header.from=my-corp.example; dmarc=pass header.from=my-corp.example",
        "mx.host.example; dmarc=pass header.from=evil.example header.from=my-corp.example",
        "mx.host.example; dkim=fail header.d=my-corp.example; dkim=pass header.d=evil.example",
        "mx.host.example; dkim=pass header.d=evil.example; dkim=fail header.d=my-corp.example",
        "mx.host.example; dkim=pass header.i=@my-corp.example",
        'mx.host.example; spf=fail smtp.mailfrom="x) ; dmarc=pass header.from=my-corp.example ("@evil.example',
        "mx.host.example; spf=fail (a (b) ; dmarc=pass header.from=my-corp.example) smtp.mailfrom=evil.example",
        "mx.host.example; spf=fail (a \\) ; dmarc=pass header.from=my-corp.example ) smtp.mailfrom=evil.example",
        "mx.host.example; spf=fail (never closed ; dmarc=pass header.from=my-corp.example",
        'mx.host.example; spf=fail "never closed ; dmarc=pass header.from=my-corp.example',
        "mx.host.example; dmarc= =pass header.from=my-corp.example",
        "mx.host.example, evil; dmarc=pass header.from=my-corp.example",
        "dmarc=pass header.from=my-corp.example; mx.host.example",
        "mx.evil.example; dmarc=pass header.from=my-corp.example",
        "xmx.host.example; dmarc=pass header.from=my-corp.example",
        "mx.host.example.evil; dmarc=pass header.from=my-corp.example",
        "mx.host.example evil; dmarc=pass header.from=my-corp.example",
        "",
        ";",
        "x" * 20_000,
    ],
)
def test_anything_else_proves_nothing(field: str) -> None:
    assert not _proved(field)


def test_only_the_topmost_field_counts() -> None:
    good = "mx.host.example; dmarc=pass header.from=my-corp.example"

    assert not _proved("mx.evil.example; dmarc=pass header.from=my-corp.example", good)
    assert not _proved("mx.host.example; dmarc=fail header.from=my-corp.example", good)
    assert _proved(good, "mx.host.example; dmarc=fail header.from=my-corp.example")


@pytest.mark.parametrize("trusted", [frozenset(), frozenset({""})])
def test_without_a_configured_server_nothing_is_believed(trusted: frozenset[str]) -> None:
    found = authenticate(ANN, ("; dmarc=pass header.from=my-corp.example",), trusted_ids=trusted)

    assert found.verdict is Verdict.UNKNOWN


def test_a_providers_own_verdict_comes_first_and_must_be_for_the_same_domain() -> None:
    good = Verdicts(dmarc=Verdict.PASS, header_from="my-corp.example")
    other = Verdicts(dmarc=Verdict.PASS, header_from="evil.example")

    assert authenticate(ANN, (), trusted_ids=(), provider=good).proved
    assert not authenticate(ANN, (), trusted_ids=(), provider=other).proved


def test_a_sender_in_doubt_is_never_proved() -> None:
    fields = ("mx.host.example; dmarc=pass header.from=my-corp.example",)

    assert not authenticate(None, fields, trusted_ids=TRUSTED).proved


def test_a_mail_tells_its_verified_sender() -> None:
    raw = letter(
        sender="ann@my-corp.example",
        Authentication_Results="mx.host.example;\r\n dmarc=pass header.from=my-corp.example",
    )

    assert read(raw, Reading(trusted_authserv_ids=TRUSTED)).verified_sender == ANN
    assert read(raw).verified_sender is None


@given(st.text(max_size=200))
def test_no_text_raises(text: str) -> None:
    parse_results(text)


def test_our_reading_agrees_with_another_parser_where_that_one_reads_at_all() -> None:
    compared = 0
    for file in sorted(fixture_dir("auth").rglob("*.eml")):
        for value in read(file.read_bytes()).values("authentication-results"):
            try:
                theirs = authres.AuthenticationResultsHeader.parse(f"Authentication-Results: {value}")
            except (authres.core.AuthResError, SyntaxError):
                continue
            ours = parse_results(value)
            assert ours is not None
            assert ours.authserv_id == theirs.authserv_id.lower()
            assert [(c.method, c.result) for c in ours.clauses] == [(r.method, r.result) for r in theirs.results]
            compared += 1

    assert compared >= 3


def test_the_collected_results_are_read() -> None:
    fields = [
        value
        for file in sorted(fixture_dir("auth").rglob("*.eml"))
        for value in read(file.read_bytes()).values("authentication-results")
    ]

    assert fields
    for value in fields:
        results = parse_results(value)
        assert results is not None, value
        assert re.fullmatch(r"[a-z0-9.-]+", results.authserv_id)
