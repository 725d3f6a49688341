"""What tests of mail share."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.mail.channel import MailChannel
from tests.desk import POLICY, SECRETS, desk_at
from tests.integration.mail.office import AGENT, Office, Post, Strict


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """A deployment on a new file."""
    async with desk_at(tmp_path) as desk:
        desk.gate = replace(desk.gate, policy=Strict(POLICY))
        post = Post()
        yield Office(desk, MailChannel(post, AGENT, "Agent", SECRETS, "http://localhost", desk.clock), post)
