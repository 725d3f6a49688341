"""What people wrote is told from what they quote, and no quote ever leaks into it."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.mail.reply_text import split_reply
from tests.fixtures import fixture_dir

PROMPT = "Refund order 4711?\nReply APPROVE or REJECT in the first line."
QUOTED = "\n".join(f"> {line}" for line in PROMPT.split("\n"))
CRISP = (
    "Fusce bibendum, quam hendrerit sagittis tempor, dui turpis tempus erat, pharetra sodales ante sem sit amet metus."
)

AGENT = "Agent <agent@bot.example>"
OUTLOOK = (
    f"From: {AGENT}\nSent: Monday, March 3, 2025 10:00 AM\nTo: Ann <ann@corp.example>\nSubject: Refund?\n\n{PROMPT}"
)
RULE = "_" * 32
REPLIES = {
    "bottom-post": f"On Mon, 3 Mar 2025 at 10:00, {AGENT} wrote:\n{QUOTED}\n\nno, wait",
    "inline": f"On Mon, 3 Mar 2025 at 10:00, {AGENT} wrote:\n> Refund order 4711?\nno, wait\n> Reply APPROVE.",
    "Outlook block": f"no, wait\n\n{RULE}\n{OUTLOOK}",
    "Outlook in German": f"no, wait\n\nVon: Agent\nGesendet: Montag, 3. März 2025\nAn: Ann\nBetreff: R\n\n{PROMPT}",
    "Outlook iOS": f"no, wait\n\nGet Outlook for iOS<https://aka.ms/o0ukef>\n{RULE}\n{OUTLOOK}",
    "Apple": f"no, wait\n\nSent from my iPhone\n\n> On 3 Mar 2025, at 10:00, {AGENT} wrote:\n> \n{QUOTED}",
    "German without marks": f"no, wait\n\nAm Mo., 3. März 2025 um 10:00 Uhr schrieb {AGENT}:\n\n{PROMPT}",
    "French over two lines": f"no, wait\n\nLe lun. 3 mars 2025 à 10:00, {AGENT} a\nécrit :\n\n{QUOTED}",
    "Japanese": f"no, wait\n\n2025年3月3日(月) 10:00 {AGENT}:\n\n{QUOTED}",
    "a language with no verb known": f"no, wait\n\nMa 3.3.2025 10:00 {AGENT} zxqv:\n{QUOTED}",
    "forward": f"no, wait\n\n---------- Forwarded message ---------\n{OUTLOOK}",
}


@pytest.mark.parametrize("text", REPLIES.values(), ids=REPLIES.keys())
def test_the_word_of_our_own_prompt_never_survives_in_a_reply(text: str) -> None:
    assert split_reply(text).new_text == "no, wait"


def _lines(text: str) -> list[str]:
    return [line for line in (" ".join(raw.split()) for raw in text.splitlines()) if line]


def _is_both_kept_and_clean(folder: Path, name: str) -> bool:
    wanted = _lines((folder / "trimmed" / name).read_text())
    elided = _lines((folder / "elided" / name).read_text())
    reply = split_reply((folder / "emails" / name).read_text())
    got = _lines(reply.new_text)
    return all(line in got for line in wanted) and not any(line in got for line in elided if line not in wanted)


def test_the_neutral_benchmark_is_met() -> None:
    folder = fixture_dir("replies") / "trimmer"
    names = sorted(file.name for file in (folder / "emails").iterdir())

    missed = [name for name in names if not _is_both_kept_and_clean(folder, name)]

    # The best splitter measured before ours got 55 of the whole set's 64, 86 %. The four here are on purpose: quotes
    # alone, a forward, and quotes without any mark are not the sender's words.
    assert 1 - len(missed) / len(names) >= 55 / 64, missed


def test_the_languages_benchmark_is_met() -> None:
    texts = [
        text
        for file in (fixture_dir("replies") / "crisp").glob("*.txt")
        if (text := file.read_text()).startswith(CRISP)
    ]

    missed = [text for text in texts if split_reply(text).new_text != text.split("\n\n")[0].rstrip()]

    assert len(texts) >= 20
    assert len(missed) / len(texts) <= 9 / 43, missed


@pytest.mark.parametrize(
    "text, new, signature",
    [
        ("Yes.\n-- \nAnn\nCorp", "Yes.", "--\nAnn\nCorp"),
        ("Yes.\n--\nAnn", "Yes.", "--\nAnn"),
        ("Yes.\n\nSent from my iPhone", "Yes.", "Sent from my iPhone"),
        ("Yes.\n\nEnvoyé de mon iPhone", "Yes.", "Envoyé de mon iPhone"),
        ("Yes.\n\nSent from my desk, which is a mess.", "Yes.\n\nSent from my desk, which is a mess.", ""),
        ("# Plan\n----\nstep", "# Plan\n----\nstep", ""),
    ],
)
def test_signatures_are_told_from_text(text: str, new: str, signature: str) -> None:
    reply = split_reply(text)

    assert (reply.new_text, reply.signature) == (new, signature)


@pytest.mark.parametrize(
    "text",
    [
        "On this day\n\nI wrote something\n\nwhich was interesting.",
        "I met Bob. He wrote to me:\n\n  never mind\n\nand left.",
        "See https://x.example/on-monday-someone-wrote-this for more",
        "From: here on, it is easy.\nThen go on.",
        "Price: 10\nQuantity: 3\nDate: tomorrow",
    ],
)
def test_prose_that_resembles_marks_stays_whole(text: str) -> None:
    assert split_reply(text).new_text == text


def test_answers_between_quotes_stay_in_order() -> None:
    text = "On Mon 3 Mar 2025, A <a@b.example> wrote:\n> one?\nyes\n> two?\nno"

    assert split_reply(text).new_text == "yes\nno"


def test_a_forward_is_kept_whole_but_apart() -> None:
    body = "From: Carl <carl@x.example>\nDate: Mon\nSubject: Offer\n\nBuy now."

    reply = split_reply(f"What do you think?\n\n---------- Forwarded message ----------\n{body}")

    assert reply.new_text == "What do you think?"
    assert body in reply.forwarded


def test_an_outlook_forward_is_known_by_its_subject() -> None:
    text = "FYI\n\nFrom: Carl\nSent: Monday\nTo: Ann\nSubject: Offer\n\nBuy now."

    assert "Buy now." in split_reply(text, forwarding=True).forwarded
    assert not split_reply(text).forwarded


def test_everything_from_our_delimiter_line_on_is_cut() -> None:
    reply = split_reply("yes\n\n-- Please reply above this line -- [m4rk]\nReply APPROVE", delimiter="m4rk")

    assert (reply.new_text, reply.confidence) == ("yes", "high")


def test_lines_that_we_sent_are_dropped_whatever_the_client_did_to_the_marks() -> None:
    reply = split_reply(
        "yes\n| *Refund*  order 4711 for Ann?\nRefund order 4711 for Ann?", sent_lines=["Refund order 4711 for Ann?"]
    )

    assert reply.new_text == "yes"
    assert reply.confidence == "low"


def test_a_short_answer_equal_to_a_line_of_ours_is_still_an_answer() -> None:
    assert split_reply("approve", sent_lines=["approve"]).new_text == "approve"


@pytest.mark.parametrize(
    "text",
    [
        QUOTED,
        "On Mon 3 Mar 2025, Agent <a@b.example> wrote:\n\nReply APPROVE",
        "",
        "yes\n\nSent from my iPhone\n\nmore text below",
        "x\n" * 6000,
    ],
)
def test_confidence_is_low_when_the_cut_may_be_wrong(text: str) -> None:
    assert split_reply(text).confidence == "low"


@pytest.mark.parametrize("name", ["bottom-post", "Outlook block", "German without marks"])
def test_confidence_is_high_for_what_clients_commonly_send(name: str) -> None:
    assert split_reply(REPLIES[name]).confidence == "high"


HOSTILE = {
    "6 KB of On": "On " * 2000,
    "On in every line": "On \n" * 60_000,
    "200 lines of 999 spaces": (" " * 999 + "\n") * 200,
    "16 KB of spaces": " " * 16_000,
    "100 KB of dashes": "-" * 100_000,
    "dashes and spaces": ("-" * 450 + " " + "-" * 450 + " original\n") * 200,
    "deep quotes": ">" * 200_000,
    "quotes in every line": ">\n" * 100_000,
    "colons": ":\n" * 100_000,
    "attributions": "On Mon 2020-01-01 10:10 a@b.c wrote:\n" * 8000,
    "header lines": "From: a\n" * 60_000,
    "addresses": ("a@" * 499 + "\n") * 200,
    "figures": ("1:1" * 333 + "\n") * 200,
    "sent from": ("Sent from my " * 76 + "\n") * 200,
    "angles": ("Sent from " + "<" * 900 + "\n") * 200,
    "verbs": (" wrote" * 166 + ":\n") * 250,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_is_cut_in_time(text: str) -> None:
    before = time.process_time()
    split_reply(text)

    assert time.process_time() - before < 2  # others took 15 seconds and more; ours takes 0.3 at most


@pytest.mark.parametrize("unit", ["wrote:\n", "On Mon 2020-01-01 10:10 a@b.c wrote:\n", "> x\ny\n", "From: a\nTo: b\n"])
def test_time_grows_with_the_text_and_not_with_its_square(unit: str) -> None:
    def seconds(count: int) -> float:
        taken = []
        for _ in range(3):
            before = time.process_time()
            split_reply(unit * count)
            taken.append(time.process_time() - before)
        return min(taken)

    assert seconds(1600) < 16 * seconds(200) + 0.05  # eight times the text; the square would be 64


@given(st.text(max_size=300))
def test_each_line_ends_up_somewhere(text: str) -> None:
    reply = split_reply(text)
    everything = f"{reply.new_text}\n{reply.quoted_text}\n{reply.signature}\n{reply.forwarded}"

    for line in text.split("\n"):
        if any(character.isalnum() for character in line):
            assert line.rstrip()[-20:].strip("> ") in everything or line.strip() in everything
