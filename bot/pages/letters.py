"""The mails by which a person signs in. Nothing that a stranger typed stands in them. Pure."""

from approvals.token import CODE_DIGITS


def link_mail(link: str, asked_from: str) -> tuple[str, str]:
    """Subject and text, in Markdown, of the mail with a link."""
    return "Sign in to Twokey", (
        "Open this page and press its button to sign in to your inbox of approvals:\n\n"
        f"<{link}>\n\n"
        f"It is good for 15 minutes, and once.{_from(asked_from)} If you did not ask for it, do nothing: nobody gets "
        "in without this mail. Pass it on to nobody."
    )


def code_mail(code: str, asked_from: str) -> tuple[str, str]:
    """Subject and text, in Markdown, of the mail with a code."""
    half = CODE_DIGITS // 2
    return "Your code to decide in Twokey", (
        f"**{code[:half]} {code[half:]}**\n\n"
        "Type this code into the page of the approval that asked you for it. It is good for 15 minutes, in that "
        f"browser, and once; afterwards that browser is signed in as you.{_from(asked_from)}\n\n"
        "If you did not ask for it, somebody has a link that was mailed to you: do nothing, and tell the code to "
        "nobody. Nobody from Twokey will ever ask you for it."
    )


def _from(address: str) -> str:
    return f" It was asked for from {address}." if address else ""
