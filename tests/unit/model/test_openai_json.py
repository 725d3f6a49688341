"""JSON that servers send."""

import json

import pytest

from agent.errors import ModelUnavailable
from agent.openai_json import decode, encode


@pytest.mark.parametrize("raw", [b"", b"<html>", b"{", b"\xff\xfe\xff", b"[" * 100_000])
def test_what_is_no_json_is_no_answer(raw: bytes) -> None:
    with pytest.raises(ModelUnavailable, match="not JSON"):
        decode(raw)


@pytest.mark.parametrize("raw", [b"[]", b"1", b"null", b'"text"'])
def test_json_that_is_no_object_is_no_answer(raw: bytes) -> None:
    with pytest.raises(ModelUnavailable, match="not an object"):
        decode(raw)


def test_nan_is_read_as_nothing() -> None:
    assert decode(b'{"a": NaN, "b": [Infinity, 1]}') == {"a": None, "b": [None, 1]}


def test_half_a_surrogate_pair_is_replaced_and_a_whole_one_kept() -> None:
    read = decode(b'{"half": "a\\ud83d", "whole": "\\ud83d\\ude00"}')
    assert read == {"half": "a?", "whole": "\U0001f600"}
    json.dumps(read, ensure_ascii=False).encode()


def test_escapes_are_read_as_what_they_stand_for() -> None:
    assert decode(b'{"a": "\\u00e9\\ud83d\\ude00"}') == {"a": "é\U0001f600"}


def test_a_body_with_half_a_surrogate_pair_can_be_sent() -> None:
    assert encode({"a": "é\ud83d"}) == '{"a":"é?"}'.encode()
