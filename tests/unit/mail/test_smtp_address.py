"""SMTP_URL is read strictly, and what cannot work says so without telling the password."""

import pytest

from bot.mail.errors import MailMisconfigured
from bot.mail.smtp_address import SmtpAddress, parse_smtp_url


@pytest.mark.parametrize(
    "url, address",
    [
        ("smtp://u:p@mail.example", SmtpAddress("mail.example", 587, "starttls", "u", "p")),
        ("smtps://u:p%2F%40@mail.example", SmtpAddress("mail.example", 465, "tls", "u", "p/@")),
        ("smtp://mail.example:25/", SmtpAddress("mail.example", 25, "starttls")),
        ("smtp+insecure://localhost:1025", SmtpAddress("localhost", 1025, "none")),
        ("smtp+insecure://[::1]:1025", SmtpAddress("::1", 1025, "none")),
    ],
)
def test_an_smtp_url_is_read(url: str, address: SmtpAddress) -> None:
    assert parse_smtp_url(url) == address


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mail.example:587",
        "http://mail.example",
        "smtp://",
        "smtp://u:s3cret@mail.example:99999",
        "smtp://u:s3cret@mail.example:x",
        "smtp://u@mail.example",
        "smtp://u:s3cret@mail.example/path",
        "smtp://u:s3#cret@mail.example",
        "smtp+insecure://mail.example",
        "smtp+insecure://127.0.0.1.evil.example",
        "smtp+insecure://10.0.0.1",
    ],
)
def test_an_smtp_url_that_cannot_work_is_refused_without_telling_the_password(url: str) -> None:
    with pytest.raises(MailMisconfigured, match="SMTP_URL") as caught:
        parse_smtp_url(url)

    assert "s3" not in str(caught.value)
    assert "s3cret" not in repr(SmtpAddress("h", 1, "tls", "u", "s3cret"))
