"""What people are reminded with: a line, and the way to the card. Pure."""

from approvals.card import Card
from bot.slack.text import LABEL_MOST, escape, moment, more_calls, one_line


def reminder(card: Card, link: str) -> str:
    """The line, as mrkdwn."""
    title = escape(one_line(card.title, LABEL_MOST) + (f" (and {more_calls(len(card.mates))})" if card.mates else ""))
    what = f"<{link}|{title}>" if link else title
    waits = "an answer" if card.about == "question" else "a decision"
    return f"⏰ Reminder: {what} still waits for {waits}. It expires {moment(card.expires_at)}."


def permalink(url: str, receipt: str, thread_ts: str) -> str:
    """Where a browser finds the message of a receipt, as Slack's `chat.getPermalink` would say; empty for none."""
    if not (url and receipt):
        return ""
    _, channel, ts = receipt.split(":")
    inside = f"?thread_ts={thread_ts}&cid={channel}" if thread_ts and thread_ts != ts else ""
    return f"{url.rstrip('/')}/archives/{channel}/p{ts.replace('.', '')}{inside}"
