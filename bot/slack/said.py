"""What people have said on a card so far: whose approval it takes, votes, changes, questions and answers. Pure.

The words of people and of the model stand in boxes of plain text, so that none of them can look like a vote.
"""

from agent.conversation import JsonObject
from approvals.card import Asked, Card, Vote
from bot.slack.arguments import NAME_MOST, more
from bot.slack.rich import bold, context, date, italic, plain, preformatted, rich, section, words
from bot.slack.text import glimpse, one_line

VIA = {
    "slack": "in Slack",
    "mail": "by mail",
    "web": "on the web page",
    "api": "over the API",
    "cli": "on the command line",
    "thread": "in the thread",
}
NEEDS_MOST = 300
VOTES_MOST = 10
REMARKS_MOST = 3
QUESTION_MOST = 250
ANSWER_MOST = 350

GRANTED_MOST = 800
CHANGED = "What was approved before the change no longer counts."
GRANTED = "From now on, without asking anybody again"
ESCALATED = "⏫ Nobody decided for a while, so more people were asked."
NO_ANSWER = "No answer."
WAITING = "The agent has not answered yet."


def notes_of(card: Card) -> list[JsonObject]:
    """Who changed it, and whether more people were asked, while it can still be decided."""
    texts = [plain(f"✏️ Changed by {one_line(card.changed_by, NAME_MOST)}. {CHANGED}")] if card.changed_by else []
    texts += [plain(ESCALATED)] if card.is_escalated and card.is_open else []
    return [context(*texts)] if texts else []


def asked_by(card: Card) -> list[JsonObject]:
    """Who asked the agent, for small print."""
    return [plain(f"Asked by {one_line(card.requester, 100)}")] if card.requester.strip() else []


def votes_of(card: Card) -> tuple[list[JsonObject], bool]:
    """Whose approval it takes and who has said what, and whether some of that was left out."""
    lines = (
        [section(bold("Takes " if card.is_open else "Took "), words(one_line(card.needs, NEEDS_MOST)))]
        if card.needs.strip()
        else []
    )
    lines += [section(*vote_line(vote)) for vote in card.votes[:VOTES_MOST]]
    rest = len(card.votes) - VOTES_MOST
    lines += [section(italic(f"… and {rest} more"))] if rest > 0 else []
    return ([rich(*lines)] if lines else []), rest > 0


def vote_line(vote: Vote) -> list[JsonObject]:
    """Who said what, where and when."""
    return [words(f"{vote_words(vote)}, "), date(vote.at)]


def vote_words(vote: Vote) -> str:
    """Who said what, and where."""
    mark = "✅" if vote.vote == "approve" else "⛔"
    return f"{mark} {one_line(vote.name, NAME_MOST)} {vote.said} {VIA.get(vote.via, '')}".rstrip()


def remarks_of(card: Card, most: int = REMARKS_MOST) -> tuple[list[JsonObject], bool]:
    """The latest questions to the agent with its answers, and whether some of that was left out."""
    latest = card.remarks[-most:]
    elements: list[JsonObject] = []
    missing = len(card.remarks) - len(latest)
    if missing:
        elements.append(section(italic(f"{missing} earlier questions" if missing > 1 else "An earlier question")))
    for each in latest:
        shown, cut = _remark(each, card)
        elements += shown
        missing += cut
    return ([rich(*elements)] if elements else []), missing > 0


def _remark(remark: Asked, card: Card) -> tuple[list[JsonObject], int]:
    question, cut = glimpse(remark.question.strip(), QUESTION_MOST)
    label = section(bold(one_line(remark.name, NAME_MOST) or "Somebody"), words(" asked the agent:"))
    elements = [label, preformatted(question or " "), *more(cut, card)]
    if not remark.answer.strip():
        return [*elements, section(italic(WAITING if card.is_open else NO_ANSWER))], cut
    answer, missing = glimpse(remark.answer.strip(), ANSWER_MOST)
    elements += [section(bold("The agent answered:")), preformatted(answer), *more(missing, card)]
    return elements, cut + missing


def granted_of(card: Card) -> tuple[list[JsonObject], bool]:
    """What is let run from now on, and whether that was cut."""
    told, missing = glimpse("\n".join(card.granted), GRANTED_MOST)
    if not told:
        return [], False
    return [rich(section(bold(GRANTED)), preformatted(told), *more(missing, card))], missing > 0
