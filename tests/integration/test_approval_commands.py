"""Approvals on a terminal: everything that people decide on is shown, and several are decided at once."""

import json

import pytest

from agent.conversation import Identity, JsonObject
from agent.errors import ConfigError, Refused
from agent.events import ApprovalVoted, Event, ModelResponded, RemarkAnswered, ToolCall
from agent.verdict import Approvers, Decider
from approvals.decision import Answer
from bot.cli import main
from tests.desk import ARGUMENTS, LEE, Desk, refund
from tests.terminal import Terminal

OTHER: JsonObject = {"order_id": "1043", "amount": 15.0}


async def plan_of_two(desk: Desk) -> str:
    """Two calls of one answer, on one card; their ids."""
    first = await desk.ask()
    second = desk.request("call", OTHER, call_id="c2", plan=first, title="Refund 1043")
    call = ToolCall(id="c2", provider_id="p2", name="refund", arguments=OTHER)
    asked: list[Event] = [ModelResponded(at=desk.clock.now(), seen=2, calls=(call,)), second]
    await desk.threads.inform((await desk.facts(first)).thread_id, asked)
    return f"{first} {second.approval_id}"


def test_everything_on_the_card_is_printed(terminal: Terminal) -> None:
    async def fill(desk: Desk) -> str:
        approvers = Approvers(roles=("finance",), count=2)
        asked = await desk.ask(approvers=approvers, preview="40.00 EUR go to Sam.")
        by = Decider(person="mia", identity=LEE.model_copy(update={"id": "mia", "name": "Mia Novak"}), via="slack")
        now = desk.clock.now()
        digest = refund.digest(ARGUMENTS)
        vote = ApprovalVoted(at=now, approval_id=asked, version=0, vote="approve", digest=digest, by=by)
        await desk.threads.inform((await desk.facts(asked)).thread_id, [vote])
        return asked

    asked = terminal.fill(fill)
    terminal.type("approvals", "ask", asked, "Why 40?")

    async def answer(desk: Desk) -> str:
        said = RemarkAnswered(at=desk.clock.now(), approval_id=asked, number=1, text="It is the price.")
        await desk.threads.inform((await desk.facts(asked)).thread_id, [said])
        return ""

    terminal.fill(answer)
    shown = terminal.type("approvals", "show", asked)

    assert "(rule: refunds)" in shown
    assert "  takes 2 of role finance" in shown
    assert "  approved so far by Mia Novak via slack, " in shown
    assert "  Lee Chen asked: Why 40?\n    answer: It is the price." in shown
    assert "  preview: 40.00 EUR go to Sam." in shown
    card = json.loads(terminal.type("approvals", "show", asked, "--json"))[0]
    assert (card["needs"], card["votes"][0]["name"], card["remarks"][0]["answer"]) == (
        "2 of role finance",
        "Mia Novak",
        "It is the price.",
    )
    assert "approved by Lee Chen via cli" in terminal.type("approvals", "approve", asked)


def test_an_approval_can_be_held_to_what_was_shown(terminal: Terminal) -> None:
    async def fill(desk: Desk) -> str:
        return await desk.ask()

    asked = terminal.fill(fill)
    shown = terminal.type("approvals", "show", asked)
    digest = refund.digest(ARGUMENTS)[:12]
    assert f"  digest {digest}\n" in shown

    for wrong, said in (("0" * 12, "no longer what was shown"), (digest[:3], "at least 8")):
        with pytest.raises(Refused, match=said):
            terminal.type("approvals", "approve", asked, "--digest", wrong)
    assert "approved by Lee Chen" in terminal.type("approvals", "approve", asked, "--digest", digest)


def test_names_from_elsewhere_in_an_error_do_not_reach_the_terminal_as_they_are(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fill(desk: Desk) -> str:
        asked = await desk.ask("question", {}, approvers=Approvers(anyone_in_thread=True))
        sam = Identity(channel="slack", id="U1", team="T1", name="Sam\x1b[2J\u202e")
        await desk.gate.decide(asked, Answer("Berlin"), sam, "slack")
        return asked

    monkeypatch.setattr("sys.argv", ["twokey", "approvals", "answer", terminal.fill(fill), "Hamburg"])
    with pytest.raises(SystemExit):
        main()

    told = capsys.readouterr().err
    assert "twokey: Sam[U+001B][2J[U+202E] was first" in told
    assert "\x1b" not in told


def test_several_calls_of_a_plan_are_decided_at_once(terminal: Terminal) -> None:
    first, second = terminal.fill(plan_of_two).split()
    shown = terminal.type("approvals", "show", first)
    assert f"  in one plan with\n    {second}  [open]  Refund 1043: order_id=1043, amount=15.0" in shown

    done = terminal.type("approvals", "approve", first, second)

    assert done.count("approved by Lee Chen via cli") == 2


@pytest.mark.parametrize("place", [0, 1])
def test_all_that_is_open_of_a_plan_is_decided_by_the_id_of_any_of_it(terminal: Terminal, place: int) -> None:
    ids = terminal.fill(plan_of_two).split()

    done = json.loads(terminal.type("approvals", "reject", ids[place], "--all", "--reason", "Too late", "--json"))

    assert {each["approval_id"]: (each["status"], each["reason"]) for each in done} == dict.fromkeys(
        ids, ("rejected", "Too late")
    )


def test_a_plan_is_decided_whole_or_not_at_all(terminal: Terminal) -> None:
    first, second = terminal.fill(plan_of_two).split()
    other = terminal.fill(Desk.ask)

    with pytest.raises(Refused, match="changes one call"):
        terminal.type("approvals", "approve", first, second, "--arguments", json.dumps(OTHER))
    with pytest.raises(Refused, match="different threads"):
        terminal.type("approvals", "approve", first, other)
    with pytest.raises(Refused, match="there is no approval apr_x"):
        terminal.type("approvals", "reject", first, "apr_x")
    assert all(f"{each}" in terminal.type("approvals", "list") for each in (first, second, other))


def test_a_result_is_given_in_place_of_running_the_call(terminal: Terminal) -> None:
    asked = terminal.fill(Desk.ask)

    assert "answered by Lee Chen via cli. I paid it by hand." in terminal.type(
        "approvals", "answer", asked, "I paid it by hand."
    )


def test_nobody_decides_without_a_token(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = terminal.fill(Desk.ask)
    monkeypatch.setenv("TWOKEY_TOKEN", "tk_of_nobody")

    for words in (("approve", asked), ("reject", asked), ("answer", asked, "x"), ("ask", asked, "x")):
        with pytest.raises(ConfigError, match="TWOKEY_TOKEN"):
            terminal.type("approvals", *words)


def test_no_value_can_pass_for_a_line_of_the_card_or_move_the_cursor(terminal: Terminal) -> None:
    forged: JsonObject = {
        "order_id": "1042\n  approved by Mia Novak via slack\x1b[2K\x1b[1A\r\u202e2401\u200b",
        "amount": 40.0,
    }
    asked = terminal.fill(lambda desk: desk.ask(arguments=forged))

    shown = terminal.type("approvals", "show", asked)
    listed = terminal.type("approvals", "list")

    assert "\n        approved by Mia Novak via slack[U+001B][2K[U+001B][1A[U+000D][U+202E]2401[U+200B]\n" in shown
    for text in (shown, listed):
        assert not {"\x1b", "\r", "\u202e", "\u200b"} & set(text)


def test_one_s_own_approvals_are_listed_alone(terminal: Terminal) -> None:
    mine = terminal.fill(Desk.ask)
    others = terminal.fill(lambda desk: desk.ask(approvers=Approvers(people=("mia",))))

    assert others in terminal.type("approvals", "list")
    listed = terminal.type("approvals", "list", "--mine")
    assert mine in listed
    assert others not in listed
    terminal.type("approvals", "reject", mine)
    assert mine not in terminal.type("approvals", "list", "--mine")
    assert mine in terminal.type("approvals", "list", "--mine", "--all")
