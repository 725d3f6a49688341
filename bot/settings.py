"""Every setting, from the environment and `.env` (factor III of the 12-Factor App). The only reader of either.

A setting that is missing, wrong or contradicts another stops the start with one line that names it and says what to do.
A value is never repeated in such a line: it may be a secret. `.env.example` lists the same settings; a test compares.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from agent.errors import ConfigError
from bot.setting_values import (
    HOW_TO_MAKE_A_KEY,
    LOOPBACK,
    DatabaseUrl,
    EndpointUrl,
    Lower,
    OwnAddress,
    SecretKeys,
    SmtpUrl,
    Url,
    WebhookKeys,
    begins,
    parts,
)
from bot.standard_webhooks import HOW_TO_MAKE_ONE, is_key

OPENAI = "https://api.openai.com/v1"


class Settings(BaseSettings):
    """What a process is told from outside. Frozen: to change a setting, start anew."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_ignore_empty=True, env_file_encoding="utf-8", hide_input_in_errors=True
    )

    config_dir: Path = Path()
    database_url: DatabaseUrl = SecretStr("sqlite+aiosqlite:///twokey.db")
    host: str = "0.0.0.0"  # noqa: S104 - port binding: what stands in front of it decides who gets there
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    public_url: Url = "http://localhost:8080"
    forwarded_allow_ips: str = "127.0.0.1"
    secret_key: SecretKeys | None = None
    workers: Annotated[int, Field(ge=1, le=1000)] = 16
    workers_per_person: Annotated[int, Field(ge=1, le=1000)] | None = None
    shutdown_grace: Annotated[float, Field(ge=0, le=3600)] = 10
    twokey_token: SecretStr | None = None

    openai_api_key: SecretStr | None = None
    openai_base_url: Url = OPENAI
    openai_model: Annotated[str, Field(min_length=1)] = "gpt-6.2-sol"
    openai_api: Annotated[Literal["responses", "chat"], Lower] = "responses"
    model_timeout: Annotated[float, Field(gt=0, le=3600)] = 120

    slack_bot_token: Annotated[SecretStr, begins("xoxb-", "xoxe.xoxb-")] | None = None
    slack_signing_secret: SecretStr | None = None
    slack_app_token: Annotated[SecretStr, begins("xapp-")] | None = None
    slack_client_id: str | None = None
    slack_client_secret: SecretStr | None = None
    slack_api_url: Annotated[Url, AfterValidator(lambda url: url + "/")] = "https://slack.com/api/"

    smtp_url: SmtpUrl | None = None
    email_address: OwnAddress | None = None
    email_inbound_provider: Annotated[Literal["raw", "mailgun", "postmark"], Lower] = "raw"
    email_inbound_secret: SecretStr | None = None
    email_trusted_authserv_id: Annotated[str, Lower] | None = None
    email_accept_unverified: bool = False

    human_approval_timeout: Annotated[float, Field(gt=0, le=366 * 86400)] = 86400
    human_approval_retries: Annotated[int, Field(ge=0, le=20)] = 3
    human_approval_endpoint: EndpointUrl | None = None
    human_approval_endpoint_secret: WebhookKeys | None = None
    guardrail_threshold: Annotated[float, Field(ge=0, le=1)] = 0.85

    audit_log_path: Path | None = None
    audit_log_retention_days: Annotated[int, Field(ge=1)] = 365
    otel_service_name: str | None = None
    otel_exporter_otlp_endpoint: Url | None = None
    otel_exporter_otlp_protocol: Annotated[Literal["grpc", "http/protobuf", "http/json"], Lower] | None = None
    log_level: Annotated[Literal["debug", "info", "warning", "error", "critical"], Lower] = "info"
    log_format: Annotated[Literal["json", "console"], Lower] = "json"

    @classmethod
    def load(cls, env_file: str | Path | None = ".env", **overrides: object) -> Self:
        """The settings of this process: overrides first, then the environment, then the file, then the defaults.

        Raises ConfigError with a line for each problem."""
        try:
            settings = cls(_env_file=env_file, **overrides)  # type: ignore[arg-type]  # pydantic checks them
        except ValidationError as error:
            raise ConfigError("\n".join(_line(dict(each)) for each in error.errors())) from None
        if problems := list(_contradictions(settings)):
            raise ConfigError("\n".join(problems))
        return settings

    @property
    def slack_mode(self) -> Literal["off", "http", "socket"]:
        """How Slack reaches us: an app token means Socket Mode, a signing secret alone means HTTP."""
        if self.slack_bot_token is None:
            return "off"
        return "http" if self.slack_app_token is None else "socket"

    @property
    def mail_enabled(self) -> bool:
        """Whether the agent has a mail address."""
        return self.email_address is not None

    @property
    def email_domain(self) -> str:
        """The part of the agent's address after the @; empty without an address."""
        return (self.email_address or "").partition("@")[2]

    @property
    def secret_keys(self) -> tuple[str, ...]:
        """The keys of SECRET_KEY: the first signs, all of them verify."""
        return parts(self.secret_key)

    @property
    def endpoint_keys(self) -> tuple[str, ...]:
        """The keys of HUMAN_APPROVAL_ENDPOINT_SECRET: each signs, so that the receiver can change to a new one."""
        return parts(self.human_approval_endpoint_secret)

    @property
    def is_sqlite(self) -> bool:
        """Whether the store is the embedded one."""
        return self.database_url.get_secret_value().startswith("sqlite")

    def secrets(self) -> tuple[str, ...]:
        """Every text that must not reach a log."""
        found: list[str] = []
        for _, value in self:
            if isinstance(value, SecretStr):
                text = value.get_secret_value()
                found += [urlsplit(text).password or ""] if "://" in text else [text]
        return tuple(each for each in (*found, *self.secret_keys, *self.endpoint_keys) if each)

    def check_model(self) -> None:
        """Raises ConfigError when the model cannot be called: OpenAI wants a key; other servers may not."""
        if self.openai_api_key is None and self.openai_base_url == OPENAI:
            raise ConfigError("OPENAI_API_KEY: missing; set it, or point OPENAI_BASE_URL at a server that needs none")

    def doubts(self) -> tuple[str, ...]:
        """What is allowed, and probably not meant; a line each, for the log at start."""
        return tuple(_doubts(self))


def _line(error: dict[str, object]) -> str:
    """`NAME: what is wrong`, without the value."""
    where = error["loc"]
    name = str(where[0]).upper() if isinstance(where, tuple) and where else "settings"
    message = str(error["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    return f"{name}: {message}"


def _contradictions(settings: Settings) -> Iterator[str]:
    yield from _slack_contradictions(settings)
    yield from _mail_contradictions(settings)
    if settings.secret_key is None and (settings.mail_enabled or settings.slack_mode != "off"):
        yield f"SECRET_KEY: missing; it signs links and reply addresses. {HOW_TO_MAKE_A_KEY}"
    if settings.human_approval_endpoint is not None and settings.human_approval_endpoint_secret is None:
        yield (
            "HUMAN_APPROVAL_ENDPOINT_SECRET: missing, though HUMAN_APPROVAL_ENDPOINT is set; without it the receiver "
            f"could not tell our word from anybody's. {HOW_TO_MAKE_ONE}"
        )


def _slack_contradictions(settings: Settings) -> Iterator[str]:
    has_way_in = settings.slack_signing_secret is not None or settings.slack_app_token is not None
    if settings.slack_bot_token is not None and not has_way_in:
        yield (
            "SLACK_BOT_TOKEN: is set alone; also set SLACK_SIGNING_SECRET (Slack calls us over HTTP) "
            "or SLACK_APP_TOKEN (Socket Mode)"
        )
    if settings.slack_bot_token is None and has_way_in:
        given = "SLACK_APP_TOKEN" if settings.slack_app_token is not None else "SLACK_SIGNING_SECRET"
        yield f"SLACK_BOT_TOKEN: missing, though {given} is set; set it (xoxb-…) or remove that"
    if (settings.slack_client_id is None) != (settings.slack_client_secret is None):
        there, missing = ("ID", "SECRET") if settings.slack_client_id is not None else ("SECRET", "ID")
        yield f"SLACK_CLIENT_{missing}: missing, though SLACK_CLIENT_{there} is set; OAuth needs both"


def _mail_contradictions(settings: Settings) -> Iterator[str]:
    if settings.email_address is None:
        for name in ("smtp_url", "email_inbound_secret"):
            if getattr(settings, name) is not None:
                yield f"EMAIL_ADDRESS: missing, though {name.upper()} is set; set the agent's address, or remove that"
        return
    if settings.smtp_url is None:
        yield "SMTP_URL: missing, though EMAIL_ADDRESS is set; the agent could read mail and never answer"
    if settings.email_inbound_secret is None:
        yield "EMAIL_INBOUND_SECRET: missing, though EMAIL_ADDRESS is set; without it anybody could hand in mail"
    elif settings.email_inbound_provider == "raw" and not is_key(settings.email_inbound_secret.get_secret_value()):
        yield (
            "EMAIL_INBOUND_SECRET: for the provider `raw` must be whsec_ and the base64 of 24 to 64 random bytes. "
            f"{HOW_TO_MAKE_ONE}"
        )


def _doubts(settings: Settings) -> Iterator[str]:
    public = urlsplit(settings.public_url)
    reachable = settings.mail_enabled or settings.slack_mode != "off"
    if reachable and public.hostname in LOOPBACK:
        yield "PUBLIC_URL: is this machine itself; links in mails and cards will open nowhere else"
    elif public.scheme == "http" and public.hostname not in LOOPBACK:
        yield "PUBLIC_URL: is plain http; whoever reads the wire can decide approvals by its links"
    if not settings.mail_enabled:
        return
    if settings.email_accept_unverified:
        yield "EMAIL_ACCEPT_UNVERIFIED: anybody can write to the agent in anybody's name; approvals still need proof"
    elif settings.email_trusted_authserv_id is None:
        yield "EMAIL_TRUSTED_AUTHSERV_ID: missing; no sender can be authenticated that way, and such mail is dropped"
