"""Settings: what is refused, and that one line says which setting and what to do."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from agent.errors import ConfigError
from approvals.token import MAX_AGENT_LOCAL_PART
from bot.settings import Settings
from tests.fixtures import ROOT

KEY = "k3yUx9-Qw_7Lr2Tz5Vb8Nm1Cd4Fg6Hj0Pq"
WEBHOOK = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
HOOK = {"human_approval_endpoint": "https://hooks.example/a/?key=k", "human_approval_endpoint_secret": WEBHOOK}
SLACK = {"slack_bot_token": "xoxb-1-2", "secret_key": KEY}
MAIL = {
    "email_address": "agent@acme.example",
    "smtp_url": "smtps://user:hunter22@mail.example:465",
    "email_inbound_secret": WEBHOOK,
    "secret_key": KEY,
}


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ.keys() & {field.upper() for field in Settings.model_fields}:  # noqa: TID251 - made empty for the test
        monkeypatch.delenv(name)


def load(**overrides: object) -> Settings:
    return Settings.load(env_file=None, **overrides)


def refusal(**overrides: object) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(**overrides)
    return str(caught.value).splitlines()


def test_nothing_set_is_a_whole_deployment_without_slack_and_mail() -> None:
    settings = load()

    assert settings.slack_mode == "off"
    assert not settings.mail_enabled
    assert settings.database_url.get_secret_value() == "sqlite+aiosqlite:///twokey.db"
    assert settings.is_sqlite


@pytest.mark.parametrize(
    "given, mode",
    [
        ({"slack_signing_secret": "s"}, "http"),
        ({"slack_app_token": "xapp-1"}, "socket"),
        ({"slack_app_token": "xapp-1", "slack_signing_secret": "s"}, "socket"),
    ],
)
def test_an_app_token_means_socket_mode_and_a_signing_secret_alone_means_http(given: dict[str, str], mode: str) -> None:
    assert load(**SLACK, **given).slack_mode == mode


@pytest.mark.parametrize(
    "given, name, advice",
    [
        (SLACK, "SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"),
        ({"slack_signing_secret": "s"}, "SLACK_BOT_TOKEN", "missing, though SLACK_SIGNING_SECRET"),
        ({"slack_app_token": "xapp-1"}, "SLACK_BOT_TOKEN", "missing, though SLACK_APP_TOKEN"),
        ({**SLACK, "slack_app_token": "xoxb-1"}, "SLACK_APP_TOKEN", "must begin with xapp-"),
        ({"slack_bot_token": "xoxp-1"}, "SLACK_BOT_TOKEN", "must begin with xoxb-"),
        ({"slack_client_id": "1.2"}, "SLACK_CLIENT_SECRET", "missing"),
        ({"slack_client_secret": "s"}, "SLACK_CLIENT_ID", "missing"),
        ({**MAIL, "smtp_url": None}, "SMTP_URL", "missing"),
        ({**MAIL, "email_address": None, "email_inbound_secret": None}, "EMAIL_ADDRESS", "though SMTP_URL is set"),
        ({**MAIL, "email_inbound_secret": None}, "EMAIL_INBOUND_SECRET", "missing"),
        ({**MAIL, "email_inbound_secret": "whsec_short"}, "EMAIL_INBOUND_SECRET", "whsec_"),
        ({**MAIL, "secret_key": None}, "SECRET_KEY", "missing"),
        ({**SLACK, "slack_signing_secret": "s", "secret_key": None}, "SECRET_KEY", "missing"),
        ({"secret_key": "too-short"}, "SECRET_KEY", "short or a placeholder"),
        ({"secret_key": "x" * 64}, "SECRET_KEY", "short or a placeholder"),
        ({"secret_key": "please-change-me-0123456789-abcdefghijkl"}, "SECRET_KEY", "short or a placeholder"),
        ({"secret_key": f"{KEY},short"}, "SECRET_KEY", "short or a placeholder"),
        ({"database_url": "postgres://u:p@h/d"}, "DATABASE_URL", "postgresql+psycopg://"),
        ({"database_url": "mysql://h/d"}, "DATABASE_URL", "must begin with"),
        ({"database_url": "sqlite:///x.db"}, "DATABASE_URL", "sqlite+aiosqlite://"),
        ({"public_url": "twokey.example"}, "PUBLIC_URL", "http"),
        ({**HOOK, "human_approval_endpoint_secret": None}, "HUMAN_APPROVAL_ENDPOINT_SECRET", "missing"),
        ({**HOOK, "human_approval_endpoint_secret": "whsec_c2hvcnQ="}, "HUMAN_APPROVAL_ENDPOINT_SECRET", "24 to 64"),
        ({**HOOK, "human_approval_endpoint_secret": f"{WEBHOOK},x"}, "HUMAN_APPROVAL_ENDPOINT_SECRET", "24 to 64"),
        ({**HOOK, "human_approval_endpoint": "http://hooks.example/x"}, "HUMAN_APPROVAL_ENDPOINT", "write https://"),
        ({**HOOK, "human_approval_endpoint": "hooks.example"}, "HUMAN_APPROVAL_ENDPOINT", "whole https:// address"),
        ({**HOOK, "human_approval_endpoint": "https://u:p@hooks.example/"}, "HUMAN_APPROVAL_ENDPOINT", "no user"),
        ({"public_url": "https://twokey.example/?x=1"}, "PUBLIC_URL", "no user, query or fragment"),
        ({"public_url": "https://twokey.example:port"}, "PUBLIC_URL", "is not a URL"),
        ({**MAIL, "smtp_url": "smtp+insecure://mail.example"}, "SMTP_URL", "for this machine only"),
        ({**MAIL, "smtp_url": "mail.example:587"}, "SMTP_URL", "must be smtp://"),
        ({**MAIL, "email_address": "Agent <agent@acme.example>"}, "EMAIL_ADDRESS", "one plain address"),
        ({**MAIL, "email_address": "agent+x@acme.example"}, "EMAIL_ADDRESS", "without a plus sign"),
        ({**MAIL, "email_address": "a" * 40 + "@acme.example"}, "EMAIL_ADDRESS", f"at most {MAX_AGENT_LOCAL_PART}"),
        ({"email_inbound_provider": "pigeon"}, "EMAIL_INBOUND_PROVIDER", "'raw', 'mailgun' or 'postmark'"),
        ({"port": "eighty"}, "PORT", "integer"),
        ({"port": 70000}, "PORT", "65535"),
        ({"log_level": "loud"}, "LOG_LEVEL", "debug"),
        ({"human_approval_timeout": 0}, "HUMAN_APPROVAL_TIMEOUT", "greater than 0"),
        ({"guardrail_threshold": 1.5}, "GUARDRAIL_THRESHOLD", "less than or equal to 1"),
    ],
)
def test_what_cannot_be_right_is_refused_in_one_line(given: dict[str, object], name: str, advice: str) -> None:
    (line,) = refusal(**given)

    assert line.startswith(f"{name}: ")
    assert advice in line


def test_every_problem_is_reported_at_once() -> None:
    lines = refusal(slack_bot_token="xoxb-1", smtp_url="smtp://mail.example")

    assert [line.partition(":")[0] for line in lines] == ["SLACK_BOT_TOKEN", "EMAIL_ADDRESS", "SECRET_KEY"]


@pytest.mark.parametrize("name", ["secret_key", "slack_bot_token", "slack_app_token", "database_url", "smtp_url"])
def test_a_refused_value_is_not_repeated(name: str) -> None:
    assert "hunter22" not in "\n".join(refusal(**{name: "hunter22"}))


def test_what_is_printed_of_settings_holds_no_secret() -> None:
    settings = load(**MAIL, openai_api_key="sk-abcdefghijklmnop", database_url="postgresql+psycopg://u:hunter33@h/d")

    for secret in ("hunter22", "hunter33", KEY, WEBHOOK, "sk-abcdefghijklmnop"):
        assert secret not in repr(settings)
        assert secret in settings.secrets()


def test_several_secret_keys_are_one_to_sign_with_and_all_to_verify_with() -> None:
    assert load(secret_key=f"{KEY}, {KEY[::-1]}").secret_keys == (KEY, KEY[::-1])
    assert load().secret_keys == ()


def test_addresses_are_put_into_one_shape() -> None:
    settings = load(**{**MAIL, "email_address": "Agent@ACME.example"}, public_url="https://acme.example/twokey/")

    assert settings.email_address == "agent@acme.example"
    assert settings.email_domain == "acme.example"
    assert settings.public_url == "https://acme.example/twokey"
    assert load(slack_api_url="http://127.0.0.1:9/api").slack_api_url == "http://127.0.0.1:9/api/"


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        load().port = 1  # type: ignore[misc]  # what is tested


def test_the_environment_wins_over_the_file_and_an_empty_value_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "env").write_text("PORT=1\nHOST=::1\nOPENAI_API_KEY=\nUNKNOWN=1\nLOG_LEVEL=DEBUG\n")
    monkeypatch.setenv("PORT", "2")

    settings = Settings.load(tmp_path / "env")

    assert (settings.port, settings.host, settings.openai_api_key, settings.log_level) == (2, "::1", None, "debug")
    assert Settings.load(tmp_path / "env", port=3).port == 3


def test_the_key_is_wanted_for_openai_and_not_for_a_server_of_ones_own() -> None:
    with pytest.raises(ConfigError, match=r"^OPENAI_API_KEY: missing"):
        load().check_model()
    load(openai_base_url="http://localhost:8000/v1").check_model()
    load(openai_api_key="sk-1").check_model()


@pytest.mark.parametrize(
    "given, doubt",
    [
        (MAIL, "PUBLIC_URL: is this machine itself"),
        ({"public_url": "http://twokey.example"}, "PUBLIC_URL: is plain http"),
        (MAIL, "EMAIL_TRUSTED_AUTHSERV_ID: missing"),
        ({**MAIL, "email_accept_unverified": True}, "EMAIL_ACCEPT_UNVERIFIED"),
    ],
)
def test_what_is_probably_not_meant_is_said(given: dict[str, object], doubt: str) -> None:
    assert any(line.startswith(doubt) for line in load(**given).doubts())


def test_a_sound_deployment_leaves_no_doubt() -> None:
    sound = load(**MAIL, public_url="https://acme.example", email_trusted_authserv_id="MX.acme.example")

    assert sound.doubts() == ()
    assert sound.email_trusted_authserv_id == "mx.acme.example"


def test_the_example_file_lists_every_setting_with_its_default() -> None:
    text = (ROOT / ".env.example").read_text()
    shown = dict(re.findall(r"^(?:# )?([A-Z_]+)=(.*)$", text, re.MULTILINE))

    assert shown.keys() == {name.upper() for name in Settings.model_fields}
    given = {name.lower(): value for name, value in shown.items() if value}
    assert load(**given) == load()
    assert all(name in given or getattr(load(), name) is None for name in Settings.model_fields)


def test_reading_settings_imports_nothing_heavy() -> None:
    heavy = "{'openai', 'sqlalchemy', 'fastapi', 'slack_bolt', 'jinja2', 'yaml'}"
    code = f"import bot.settings, sys; print(sorted({heavy} & sys.modules.keys()))"

    shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - fixed words

    assert shown.stdout.strip() == "[]"


def test_the_endpoint_is_taken_as_it_is_written_and_hidden_with_its_keys() -> None:
    settings = load(**{**HOOK, "human_approval_endpoint_secret": f"{WEBHOOK},{WEBHOOK[:-2]}8="})

    assert settings.human_approval_endpoint is not None
    assert settings.human_approval_endpoint.get_secret_value() == "https://hooks.example/a/?key=k"
    assert settings.endpoint_keys == (WEBHOOK, f"{WEBHOOK[:-2]}8=")
    assert set(settings.endpoint_keys) <= set(settings.secrets())
    assert "key=k" not in repr(settings)
    assert load(human_approval_endpoint="http://127.0.0.1:9/x", human_approval_endpoint_secret=WEBHOOK)
