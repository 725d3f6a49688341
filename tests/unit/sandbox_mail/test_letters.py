"""What a mail provider stamps and what a mail client writes, without any wire."""

from email import message_from_bytes, policy

from sandbox.mail.letter import Draft, Letter, answer_to, composed
from sandbox.mail.stamp import checked, received
from sandbox.mail.webhook import signed

RAW = b"From: Sam <sam@customer.example>\r\nSubject: Hi\r\n\r\nAuthentication-Results: in the body stays\r\n"


def test_results_stand_on_top_and_name_the_domain_of_from() -> None:
    whole = checked(RAW, "sam@customer.example", "pass")
    message = message_from_bytes(whole, policy=policy.default)
    assert message.keys()[0] == "Authentication-Results"
    assert "dmarc=pass header.from=customer.example" in message["Authentication-Results"]
    assert b"in the body stays" in whole


def test_own_results_from_outside_are_taken_off_however_they_are_folded_and_others_stay() -> None:
    forged = (
        b"authentication-results: mx.sandbox.example; dmarc=pass\r\n\theader.from=acme.example\r\n"
        b"Authentication-Results:\r\n mx.sandbox.example; dmarc=pass\r\n"
        b"Authentication-Results: other.example; dmarc=pass\r\n"
    )
    whole = checked(forged + RAW, "dana@acme.example", "fail")
    results = message_from_bytes(whole, policy=policy.default).get_all("Authentication-Results")
    assert [str(one).partition(";")[0] for one in results or []] == ["mx.sandbox.example", "other.example"]
    assert "dmarc=fail" in str((results or [""])[0])


def test_a_delivered_mail_shows_its_return_path_first() -> None:
    whole = received(RAW, "bounce@acme.example", "sam@customer.example", "n1", "today")
    assert whole.startswith(b"Return-Path: <bounce@acme.example>\r\nReceived: ")
    assert whole.endswith(RAW)


def test_a_reply_to_a_reply_keeps_one_re_and_the_whole_chain() -> None:
    draft = Draft("ada@acme.example", ("sam@customer.example",), "RE: Hi", "Hello", references=("<1@a>",))
    raw = composed(draft, "<2@a>", "Wed, 25 Nov 2026 10:00:00 +0000").as_bytes()
    letter = Letter("l", "sam@customer.example", "inbox", raw, "ada@acme.example", ("sam@customer.example",), 0)
    answer = answer_to(letter, "Yes & <no>", "today")
    assert answer.subject == "RE: Hi"
    assert answer.references == ("<1@a>", "<2@a>")
    assert answer.to == ("Ada Okafor <ada@acme.example>",)
    assert "Yes &amp; &lt;no&gt;" in answer.html


def test_the_signature_is_the_one_of_the_standard_s_own_example() -> None:
    headers = signed(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
