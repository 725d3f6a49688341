"""The one way in which the sandbox's model says no: an error of OpenAI's shape."""

from collections.abc import Collection, Mapping

Json = dict[str, object]


class Refused(Exception):
    """The request was not one that OpenAI would take."""

    def __init__(self, message: str, param: str | None = None, code: str | None = None, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code
        self.status = status

    def body(self) -> Json:
        """The error as OpenAI writes it."""
        kinds = {401: "authentication_error", 429: "rate_limit_error"}
        kind = kinds.get(self.status, "server_error" if self.status >= 500 else "invalid_request_error")
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}


def known_only(given: Mapping[str, object], allowed: Collection[str], at: str = "") -> None:
    """Refuse the first key that is not allowed."""
    for key in given:
        if key not in allowed:
            param = f"{at}.{key}" if at else key
            raise Refused(f"Unknown parameter: '{param}'.", param, "unknown_parameter")


def an_object(value: object, at: str) -> Json:
    """`value`, if it is a JSON object."""
    if not isinstance(value, dict):
        raise Refused(f"Invalid type for '{at}': expected an object.", at, "invalid_type")
    return value


def a_list(value: object, at: str) -> list[object]:
    """`value`, if it is a JSON array."""
    if not isinstance(value, list):
        raise Refused(f"Invalid type for '{at}': expected an array.", at, "invalid_type")
    return value


def a_text(value: object, at: str) -> str:
    """`value`, if it is a string."""
    if not isinstance(value, str):
        raise Refused(f"Invalid type for '{at}': expected a string.", at, "invalid_type")
    return value


def a_flag(value: object, at: str) -> bool:
    """`value`, if it is a boolean."""
    if not isinstance(value, bool):
        raise Refused(f"Invalid type for '{at}': expected a boolean.", at, "invalid_type")
    return value
