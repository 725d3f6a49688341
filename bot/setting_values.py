"""What the value of one setting may look like. Each check gives the value back, or raises ValueError with a reason that
does not repeat it: it may be a secret."""

import re
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr

from approvals.token import MAX_AGENT_LOCAL_PART, MIN_SECRET_LENGTH
from bot.standard_webhooks import HOW_TO_MAKE_ONE, is_key

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
HOW_TO_MAKE_A_KEY = 'Make one: python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
_PLACEHOLDER = re.compile(
    r"change.?me|replace.?me|placeholder|your.?secret|secret.?key|example|insecure|\.\.\.|<|>", re.IGNORECASE
)
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*/=?^_`{|}~.-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")


def _split(url: str) -> SplitResult:
    try:
        found = urlsplit(url.strip())
        _ = found.port
    except ValueError as error:
        raise ValueError("is not a URL") from error
    return found


def _web_address(url: str) -> str:
    found = _split(url)
    if found.scheme not in {"http", "https"} or not found.hostname:
        raise ValueError("must be a whole http:// or https:// address")
    if found.query or found.fragment or found.username is not None:
        raise ValueError("must be an address only: no user, query or fragment")
    return url.strip().rstrip("/")


def _endpoint(url: SecretStr) -> SecretStr:
    """A whole address: unlike that of a base, its end means something."""
    found = _split(url.get_secret_value())
    if found.scheme not in {"http", "https"} or not found.hostname:
        raise ValueError("must be a whole https:// address")
    if found.scheme == "http" and found.hostname not in LOOPBACK:
        raise ValueError("http:// is for this machine only: what is told there is not for everybody; write https://")
    if found.fragment or found.username is not None:
        raise ValueError("must have no user and no fragment")
    return SecretStr(url.get_secret_value().strip())


def _webhook_keys(secret: SecretStr) -> SecretStr:
    if not all(is_key(each) for each in parts(secret)):
        raise ValueError(f"must be whsec_ and the base64 of 24 to 64 random bytes. {HOW_TO_MAKE_ONE}")
    return secret


def _database(url: SecretStr) -> SecretStr:
    scheme = url.get_secret_value().partition("://")[0]
    if scheme in {"sqlite+aiosqlite", "postgresql+psycopg"}:
        return url
    if scheme.partition("+")[0] in {"postgres", "postgresql"}:
        raise ValueError("write postgresql+psycopg:// at its beginning: the psycopg driver is the one that fits")
    raise ValueError("must begin with sqlite+aiosqlite:// or postgresql+psycopg://")


def _smtp(url: SecretStr) -> SecretStr:
    found = _split(url.get_secret_value())
    if found.scheme not in {"smtp", "smtps", "smtp+insecure"} or not found.hostname:
        raise ValueError("must be smtp://user:password@host:587, or smtps://…:465")
    if found.scheme == "smtp+insecure" and found.hostname not in LOOPBACK:
        raise ValueError("smtp+insecure:// is for this machine only; write smtp:// (STARTTLS) or smtps://")
    return url


def _address(address: str) -> str:
    address = address.strip().lower()
    if not _ADDRESS.fullmatch(address):
        raise ValueError("must be one plain address such as agent@example.com, without a name and without a plus sign")
    if len(address.partition("@")[0]) > MAX_AGENT_LOCAL_PART:
        raise ValueError(f"must have at most {MAX_AGENT_LOCAL_PART} characters before the @, to leave room for tokens")
    return address


def _secret_key(key: SecretStr) -> SecretStr:
    for each in parts(key):
        if len(each) < MIN_SECRET_LENGTH or len(set(each)) < 10 or _PLACEHOLDER.search(each):  # noqa: PLR2004 - distinct
            raise ValueError(f"is short or a placeholder. {HOW_TO_MAKE_A_KEY}")
    return key


def parts(key: SecretStr | None) -> tuple[str, ...]:
    """The keys in a setting, parted by commas."""
    return tuple(each.strip() for each in key.get_secret_value().split(",")) if key else ()


def begins(*prefixes: str) -> AfterValidator:
    """A check that it begins in one of these ways."""

    def check(token: SecretStr) -> SecretStr:
        if not token.get_secret_value().startswith(prefixes):
            raise ValueError(f"must begin with {' or '.join(prefixes)}")
        return token

    return AfterValidator(check)


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


Url = Annotated[str, AfterValidator(_web_address)]
EndpointUrl = Annotated[SecretStr, AfterValidator(_endpoint)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_database)]
SmtpUrl = Annotated[SecretStr, AfterValidator(_smtp)]
SecretKeys = Annotated[SecretStr, AfterValidator(_secret_key)]
WebhookKeys = Annotated[SecretStr, AfterValidator(_webhook_keys)]
OwnAddress = Annotated[str, AfterValidator(_address)]
Lower = BeforeValidator(_lower)
