"""Form bodies, urlencoded or multipart, from bytes already read and under our own limits.

Starlette's `Request.form` refuses fields over 1 MiB, and providers send whole messages as plain fields, so the fields
are read here with python-multipart straight from the body.
"""

from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from bot.mail.charset import decode_field
from bot.mail.errors import BadWebhook

MAX_FIELDS = 500
MAX_PART_HEADERS = 8 * 1024


@dataclass(frozen=True, slots=True)
class FormFile:
    """One uploaded file."""

    name: str
    type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Form:
    """The fields (first value of each name) and files of a form."""

    fields: dict[str, bytes]
    files: dict[str, FormFile]

    def text(self, name: str) -> str:
        """A field as text; empty when it is missing."""
        return decode_field(self.fields.get(name, b""))


def parse_form(body: bytes, content_type: str) -> Form:
    """The form in a request body. Raises BadWebhook when it is none or has more than 500 parts."""
    kind, options = parse_options_header(content_type)
    if kind == b"application/x-www-form-urlencoded":
        return _urlencoded(body)
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not 0 < len(boundary) <= 200:  # noqa: PLR2004 -- RFC 2046 allows 70
        raise BadWebhook("the request holds no form")
    parts = _Parts()
    try:
        parser = MultipartParser(boundary, parts.callbacks(), max_size=len(body))  # type: ignore[arg-type] # the stub wants its TypedDict
        parser.write(body)
        parser.finalize()
    except (FormParserError, ValueError, LookupError) as error:
        raise BadWebhook("the form cannot be read") from error
    return Form(parts.fields, parts.files)


def _urlencoded(body: bytes) -> Form:
    try:
        pairs = parse_qsl(body, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise BadWebhook(f"the form has more than {MAX_FIELDS} fields") from error
    fields: dict[str, bytes] = {}
    for name, value in pairs:
        fields.setdefault(decode_field(name), value)
    return Form(fields, {})


@dataclass(slots=True)
class _Parts:
    """Collects what the parser calls out."""

    fields: dict[str, bytes] = field(default_factory=dict)
    files: dict[str, FormFile] = field(default_factory=dict)
    count: int = 0
    header_size: int = 0
    name: bytearray = field(default_factory=bytearray)
    value: bytearray = field(default_factory=bytearray)
    headers: dict[bytes, bytes] = field(default_factory=dict)
    content: bytearray = field(default_factory=bytearray)

    def callbacks(self) -> dict[str, object]:
        """What the parser is to call."""
        return {
            "on_part_begin": self._begin,
            "on_part_data": self._append,
            "on_part_end": self._end,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
        }

    def _begin(self) -> None:
        self.count += 1
        if self.count > MAX_FIELDS:
            raise BadWebhook(f"the form has more than {MAX_FIELDS} fields")
        self.headers, self.content, self.header_size = {}, bytearray(), 0

    def _append(self, data: bytes, start: int, end: int) -> None:
        self.content += data[start:end]

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._grow(end - start)
        self.name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._grow(end - start)
        self.value += data[start:end]

    def _grow(self, size: int) -> None:
        self.header_size += size
        if self.header_size > MAX_PART_HEADERS:
            raise BadWebhook("a form field has too large a header")

    def _header_end(self) -> None:
        self.headers[bytes(self.name).lower()] = bytes(self.value)
        self.name, self.value = bytearray(), bytearray()

    def _end(self) -> None:
        _, options = parse_options_header(self.headers.get(b"content-disposition", b""))
        name = decode_field(options.get(b"name", b""))
        if b"filename" in options:
            kind = decode_field(self.headers.get(b"content-type", b"application/octet-stream"))
            found = FormFile(decode_field(options[b"filename"]), kind, bytes(self.content))
            self.files.setdefault(name, found)
        else:
            self.fields.setdefault(name, bytes(self.content))
