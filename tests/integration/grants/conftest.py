"""The deployment, and the Slack that it asks."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from approvals.people import Directory
from tests.desk import Desk, desk_at
from tests.fakes import FakeStanding
from tests.integration.grants.steps import PERSONS, policy


@pytest.fixture
def slack() -> FakeStanding:
    standing = FakeStanding()
    for user in ("U0LEE", "U0ZOE"):
        standing.account(user)
    return standing


@pytest.fixture
async def desk(tmp_path: Path, slack: FakeStanding) -> AsyncIterator[Desk]:
    async with desk_at(tmp_path) as found:
        found.gate = replace(
            found.gate, directory=Directory(PERSONS.values()), standing=slack, policy=policy(), timeout=3600.0
        )
        yield found
