"""How the pages reach somebody who is not looking at one."""

from typing import Protocol


class Post(Protocol):
    """Mails people; `bot.mail.channel.MailChannel` is one."""

    async def notify(self, address: str, subject: str, text: str, key: str) -> None:
        """A mail that belongs to no conversation; `key` tells it from all others. Raises ChannelError."""
        ...
