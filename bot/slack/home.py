"""The Home tab: what Twokey is and how to use it. Pure."""

from agent.conversation import JsonObject
from bot.slack.rich import bold, plain, rich, section, words

_STEPS = (
    ("Ask", "Mention me in a channel, or write to me in Messages. I answer in the thread."),
    (
        "Approve",
        "Before I do anything sensitive I show exactly what would happen, and wait for one of the right people.",
    ),
    ("Follow", "Answer in the thread at any time; I read what you write there. The stop button stops me."),
)


def home_view() -> JsonObject:
    """The view to publish."""
    steps = [section(bold(f"{title}. "), words(text)) for title, text in _STEPS]
    return {
        "type": "home",
        "blocks": [
            {"type": "header", "text": plain("🔑 Twokey never turns a dangerous key alone")},
            *(rich(step) for step in steps),
        ],
    }
