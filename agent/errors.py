"""Every error of ours, one tree with one root.

    TwokeyError
    ├── ConfigError              a file or setting of the deployment is wrong
    ├── BadArguments             a tool call's arguments do not fit the tool
    ├── ModelError
    │   ├── ModelUnavailable     try again later
    │   └── ModelRefused         trying again will not help
    ├── ChannelError
    │   ├── ChannelDown          try again later
    │   └── ChannelRefused       trying again will not help
    ├── StoreError
    │   ├── StoreDown            try again later
    │   ├── Fenced               another worker holds the thread now
    │   ├── Conflict             the thread is longer than expected
    │   ├── AlreadySeen          this delivery was taken in before
    │   └── AlreadySettled       the approval has been decided before
    └── Refused                  a person may not do what they asked for
        ├── SaidBefore           they have had this say, and it counts
        └── BadTerms             nobody could mean a grant on these terms

The docstring of each class is what a person reads when no other message was given. Vendors' errors stop at the
adapters (`agent.model`, `bot.slack.channel`, `bot.mail.channel`, `store`) and come out as one of these.
"""


class TwokeyError(Exception):
    """Something went wrong."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (self.__doc__ or "").strip())


class ConfigError(TwokeyError):
    """A setting or a file of this deployment is wrong."""


class BadArguments(TwokeyError):
    """The arguments do not fit the tool's parameters."""


class ModelError(TwokeyError):
    """The model gave no answer."""


class ModelUnavailable(ModelError):
    """The model could not be reached or is overloaded."""


class ModelRefused(ModelError):
    """The model's server refused the request."""


class ChannelError(TwokeyError):
    """A message could not be sent."""


class ChannelDown(ChannelError):
    """The channel could not be reached; the message is kept and will be tried again."""


class ChannelRefused(ChannelError):
    """The channel refused the message for good."""


class StoreError(TwokeyError):
    """The store refused."""


class StoreDown(StoreError):
    """The store cannot be reached."""


class Fenced(StoreError):
    """Another worker holds this thread now."""


class Conflict(StoreError):
    """The thread has grown since it was read."""


class AlreadySeen(StoreError):
    """This delivery was taken in before."""


class AlreadySettled(StoreError):
    """This approval has been decided before."""


class Refused(TwokeyError):
    """You may not do this."""


class SaidBefore(Refused):
    """You have said this before, and it counts."""


class BadTerms(Refused):
    """There can be no grant on these terms."""
