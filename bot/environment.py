"""What the demo takes from its own environment: a real model, if one is named there, and nothing else of Twokey's.

Beside `bot.settings` the only module that reads the environment: a child process must be given one.
"""

import os
from collections.abc import Mapping

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.settings import Settings


class ModelSettings(BaseSettings):
    """The settings of the model alone, so that half-filled others in `.env` do not stop the demo."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    openai_api_key: SecretStr | None = None
    openai_base_url: str | None = None
    openai_model: str | None = None
    openai_api: str | None = None

    def told(self) -> dict[str, str]:
        """The same as environment variables; empty when no key is set."""
        if self.openai_api_key is None:
            return {}
        given = {name.upper(): value for name, value in self if isinstance(value, str)}
        return {**given, "OPENAI_API_KEY": self.openai_api_key.get_secret_value()}


def child(told: Mapping[str, str]) -> dict[str, str]:
    """The environment for a child process: this one's without any setting of ours, and then what it is told."""
    own = {name.upper() for name in Settings.model_fields}
    return {**{name: value for name, value in os.environ.items() if name.upper() not in own}, **told}
