"""The rows. `thread` and `event` are the truth; all other tables are indexes of facts in the log (see `projection`).

Moments are integer microseconds since 1970 in UTC: the same on every database, exact, and cheap to compare.
`event` is a plain table with a unique index, not one clustered on (thread, seq): measured, that writes and stores less.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Text, text
from sqlmodel import Field, SQLModel


class ThreadRow(SQLModel, table=True):
    """A thread and who may work on it now."""

    __tablename__ = "thread"
    __table_args__ = (
        Index(
            "thread_due",
            "not_before",
            postgresql_where=text("last_seq > done_seq"),
            sqlite_where=text("last_seq > done_seq"),
        ),
        Index(
            "thread_wake",
            "wake_at",
            postgresql_where=text("wake_at IS NOT NULL"),
            sqlite_where=text("wake_at IS NOT NULL"),
        ),
    )

    id: str = Field(primary_key=True)
    conversation_key: str = Field(unique=True)
    conversation: str = Field(sa_column=Column(Text, nullable=False))
    agent: str
    created_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    last_seq: int = 0
    """Length of the log."""
    done_seq: int = 0
    """Length up to which the loop has nothing left to do."""
    head: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """Hash of the latest event; what the next one is chained to."""
    epoch: int = 0
    """How often the thread was claimed; a worker with an older epoch may not write."""
    lease_until: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    """By the database's clock."""
    wake_at: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    not_before: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    """Back-off after failures."""
    attempts: int = 0
    status: str = "active"
    """active, or stalled: failed too often and waiting for an operator."""


class EventRow(SQLModel, table=True):
    """One event; never changed once written, save by a redaction, which the chain survives."""

    __tablename__ = "event"
    __table_args__ = (Index("event_place", "thread_id", "seq", unique=True),)

    id: int | None = Field(
        default=None, sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    )
    thread_id: str
    seq: int
    kind: str
    at: int = Field(sa_column=Column(BigInteger, nullable=False))
    body: str = Field(sa_column=Column(Text, nullable=False))
    digest: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """SHA-256 of the body."""
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    """SHA-256 over the hash before, the place, kind, moment and digest."""


class AuditCursorRow(SQLModel, table=True):
    """Up to which event something was told of the audit log, and until when a process has that in hand."""

    __tablename__ = "audit_cursor"

    name: str = Field(primary_key=True)
    event_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    lease_until: int = Field(sa_column=Column(BigInteger, nullable=False))


class DeliveryRow(SQLModel, table=True):
    """What came in before, so that it is dropped when it comes again."""

    __tablename__ = "delivery"

    key: str = Field(primary_key=True)
    thread_id: str
    at: int = Field(sa_column=Column(BigInteger, nullable=False, index=True))


class LandmarkRow(SQLModel, table=True):
    """A Message-ID, received or sent, and the thread that it belongs to."""

    __tablename__ = "landmark"

    key: str = Field(primary_key=True)
    thread_id: str


class RawMailRow(SQLModel, table=True):
    """A mail as it came in, whether or not anything could be made of it."""

    __tablename__ = "raw_mail"

    key: str = Field(primary_key=True)
    """SHA-256 over recipients and content."""
    provider: str
    recipients: str
    at: int = Field(sa_column=Column(BigInteger, nullable=False, index=True))
    raw: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class ApprovalRow(SQLModel, table=True):
    """Where an approval stands, and where in the log its facts are."""

    __tablename__ = "approval"
    __table_args__ = (
        Index(
            "approval_open",
            "expires_at",
            postgresql_where=text("status = 'open'"),
            sqlite_where=text("status = 'open'"),
        ),
        Index(
            "approval_plan",
            "plan",
            postgresql_where=text("plan IS NOT NULL"),
            sqlite_where=text("plan IS NOT NULL"),
        ),
    )

    id: str = Field(primary_key=True)
    thread_id: str = Field(index=True)
    about: str
    status: str
    asked_seq: int
    decided_seq: int | None = None
    outcome_seq: int | None = None
    expires_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    version: int = 0
    """How many votes and amendments there were; a say on an older one does not count."""
    noted_seq: int | None = None
    """Place of the last vote, amendment, escalation, remark, grant or refused attempt."""
    plan: str | None = None
    """The approval whose card shows this one, too."""


class SignInRow(SQLModel, table=True):
    """One sign-in of a person in one browser: asked for, used, ended. No fact of a thread, and in no log."""

    __tablename__ = "sign_in"

    id: str = Field(primary_key=True)
    person: str = Field(index=True)
    kind: str
    """link, own_link, or code."""
    made_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    tries: int = 0
    """Wrong codes."""
    used_at: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    seen_at: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    """When the browser was last here, roughly."""
    ended_at: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))


class SayRow(SQLModel, table=True):
    """That somebody voted on an approval, changed it or decided it, and when they last did."""

    __tablename__ = "say"

    person: str = Field(primary_key=True)
    approval_id: str = Field(primary_key=True)
    at: int = Field(sa_column=Column(BigInteger, nullable=False))


class GrantRow(SQLModel, table=True):
    """A grant, where in the log it was given, and how far it is used up."""

    __tablename__ = "grants"
    __table_args__ = (
        Index(
            "grants_standing",
            "tool",
            "until",
            postgresql_where=text("revoked_seq IS NULL"),
            sqlite_where=text("revoked_seq IS NULL"),
        ),
    )

    id: str = Field(primary_key=True)
    tool: str
    thread_id: str = Field(index=True)
    """Where it was given."""
    given_by: str = Field(index=True)
    """Person id."""
    seq: int
    until: int = Field(sa_column=Column(BigInteger, nullable=False))
    uses: int | None = None
    """How often at most."""
    used: int = 0
    revoked_seq: int | None = None


class CardRow(SQLModel, table=True):
    """One place where an approval is shown; `shown` behind `wanted` means that it is to be brought up to date."""

    __tablename__ = "card"
    __table_args__ = (
        Index("card_due", "not_before", postgresql_where=text("shown < wanted"), sqlite_where=text("shown < wanted")),
    )

    approval_id: str = Field(primary_key=True)
    address_key: str = Field(primary_key=True)
    address: str = Field(sa_column=Column(Text, nullable=False))
    wanted: int = 1
    shown: int = 0
    receipt: str = ""
    tried: bool = False
    """A first showing was begun; it may have arrived."""
    attempts: int = 0
    not_before: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))
    lease_until: int = Field(default=0, sa_column=Column(BigInteger, nullable=False))


class SlackHomeRow(SQLModel, table=True):
    """A Home tab in Slack that was opened, and how far it is up to date."""

    __tablename__ = "slack_home"

    team_id: str = Field(primary_key=True)
    user_id: str = Field(primary_key=True)
    opened_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    seen: int = Field(sa_column=Column(BigInteger, nullable=False))
    """The last event that it was made from."""
    shown: str
    """Digest of what it shows; empty when it must be published anew."""
    again_at: int = Field(sa_column=Column(BigInteger, nullable=False))
    """When it is made anew though nothing happened."""
    not_before: int = Field(sa_column=Column(BigInteger, nullable=False))
    lease_until: int = Field(sa_column=Column(BigInteger, nullable=False))
    """By the database's clock."""
