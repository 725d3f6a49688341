"""A provider, models that ask it, and a sleep that only takes notes."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Literal

import pytest

from agent.model import OpenAIModel
from tests.integration.model.provider import Provider, a_provider

KEY = "twokey-secret-1234"


@pytest.fixture(scope="session")
def served() -> Iterator[Provider]:
    """One for all tests: starting and stopping it takes longer than most of them."""
    with a_provider() as provider:
        yield provider


@pytest.fixture
def provider(served: Provider) -> Provider:
    """The one, with nothing asked and nothing to say yet."""
    served.script, served.asked = [], []
    return served


@dataclass
class Models:
    """Makes models of the provider's, and closes them."""

    provider: Provider
    stack: AsyncExitStack
    slept: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        """Takes no time."""
        self.slept.append(seconds)

    def open(
        self,
        api: Literal["responses", "chat"] = "responses",
        *,
        base_url: str = "",
        key: str = KEY,
        timeout: float = 5.0,
    ) -> OpenAIModel:
        """A model; without jitter, so that waits are exact."""
        model = OpenAIModel(
            api_key=key,
            base_url=base_url or self.provider.url,
            api=api,
            timeout=timeout,
            sleep=self.sleep,
            jitter=lambda: 0.0,
        )
        self.stack.push_async_callback(model.aclose)
        return model


@pytest.fixture
async def models(provider: Provider) -> AsyncIterator[Models]:
    """For this test."""
    async with AsyncExitStack() as stack:
        yield Models(provider, stack)
