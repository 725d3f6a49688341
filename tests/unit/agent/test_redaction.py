"""What is taken out of an event, and what stays, also of kinds that nobody has thought of yet."""

from typing import Literal

from pydantic import JsonValue

from agent.conversation import Address, Identity, JsonObject, MailAddress, MailHeaders, SlackThread, SlackUser, Value
from agent.events import ApprovalDecided, ModelResponded, ToolReturned
from agent.redaction import MARK, redacted
from agent.thread import STOP
from agent.verdict import Answered, Decider
from tests.builders import ADA, AT, DANA, a_call, a_message


class Leash(Value):
    """As a grant has one."""

    id: str = "grt_1"
    schema_digest: str = "d"
    requester: str = "ada"
    condition: str = "args.name == 'Grace'"
    arguments: JsonObject


class Unheard(Value):
    """A kind of event that there is not."""

    kind: Literal["unheard"] = "unheard"
    seq: int = 7
    new_id: str = "new_1"
    given_by: str = "dana"
    remark: str = "Grace is ill"
    requester: Identity = ADA
    by: Decider = Decider(person="dana", identity=DANA, via="web", address="192.0.2.1", user_agent="Browser")
    leash: Leash = Leash(arguments={"name": "Grace"})
    shown_on: tuple[Address, ...] = (
        SlackThread(team="T0", channel="C0", thread_ts="1"),
        SlackUser(team="T0", user="U0DANA", person="dana"),
        MailAddress(address="dana@acme.example", person="dana"),
    )
    free: JsonValue = 5


def test_of_an_event_that_is_not_known_nothing_is_left_but_ids_and_choices() -> None:
    left = redacted(Unheard()).model_dump(mode="json")  # type: ignore[arg-type]  # an event that there is not
    assert left == {
        "kind": "unheard",
        "seq": 7,
        "new_id": "new_1",
        "given_by": "dana",
        "remark": MARK,
        "requester": {"channel": "slack", "id": MARK, "team": "T0", "name": MARK, "verified": True},
        "by": {
            "person": "dana",
            "identity": {"channel": "slack", "id": MARK, "team": "T0", "name": MARK, "verified": True},
            "via": "web",
            "address": MARK,
            "user_agent": MARK,
        },
        "leash": {"id": "grt_1", "schema_digest": "d", "requester": "ada", "condition": MARK, "arguments": {}},
        "shown_on": [
            {"channel_kind": "slack", "team": "T0", "channel": "C0", "thread_ts": "1"},
            {"channel_kind": "slack_user", "team": MARK, "user": MARK, "person": "dana"},
            {"channel_kind": "mail_address", "address": MARK, "person": "dana"},
        ],
        "free": MARK,
    }


def test_what_a_mail_is_answered_by_stays() -> None:
    mail = MailHeaders(message_id="<1@x>", subject="Ill", references=("<0@x>",), reply_address="grace@x")
    event = redacted(a_message(mail=mail))
    assert event.mail == MailHeaders(message_id="<1@x>", subject=MARK, reply_address=MARK)  # type: ignore[union-attr]  # a message


def test_empty_stays_empty_and_nothing_stays_nothing() -> None:
    blank = ModelResponded(at=AT, seen=1, text=" ", stop="length")
    assert redacted(blank) == blank
    nothing = ToolReturned(at=AT, call_id="c", result=None)
    assert redacted(nothing) == nothing


def test_of_a_call_its_name_stays_and_of_the_provider_nothing() -> None:
    answer = ModelResponded(
        at=AT, seen=1, calls=(a_call("refund", "c1", order_id="1"),), items=({"type": "reasoning"},)
    )
    left = redacted(answer)
    assert left == ModelResponded(at=AT, seen=1, calls=(a_call("refund", "c1"),))


def test_an_answer_that_we_offered_stays() -> None:
    for text, expected in ((STOP, STOP), ("My mother is ill", MARK)):
        event = redacted(ApprovalDecided(at=AT, approval_id="a", decision=Answered(text=text)))
        assert event.decision == Answered(text=expected)  # type: ignore[union-attr]  # a decision
