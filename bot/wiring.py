"""The composition root: everything is made here, once, from the settings, and each part can be replaced.

Only this module reads the clock and makes ids.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime

import structlog

from agent.guardrail import Guardrail
from agent.loop import Loop
from agent.model import OpenAIModel
from agent.ports import Clock, Ids, Model
from agent.reducer import Rules
from agent.rounds import Agent
from approvals.gate import Gate
from approvals.standing import NO_PLACE, Standing
from bot.audit_file import AuditFile
from bot.audit_trail import AuditTrail
from bot.cards import Cards
from bot.deployment import Deployment
from bot.dispatcher import Dispatcher
from bot.inbox import Inbox
from bot.local_engine import LocalEngine
from bot.mail.approval_reply import ApprovalReplies
from bot.mail.automatic import OwnMail
from bot.mail.channel import ABOVE, MailChannel
from bot.mail.inbound import MailDesk
from bot.mail.message import message_id_for
from bot.mail.parsing import Reading
from bot.mail.smtp import SmtpSender
from bot.outbox import Channel, Outbox
from bot.service import Engine, Role, Service
from bot.settings import Settings
from bot.sign_in import SignIn
from bot.turns import Bounds
from bot.worker import Worker
from store.approvals import ApprovalIndex
from store.connect import connect
from store.mails import Mails
from store.sign_ins import SignIns
from store.threads import Threads
from store.trail import Trail

log = structlog.get_logger()


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Now, in UTC."""
        return datetime.now(UTC)


class RandomIds:
    """Ids of 100 random bits, in letters that survive case folding."""

    def new(self, prefix: str) -> str:
        """`<prefix>_` and 20 letters."""
        return f"{prefix}_{base64.b32encode(secrets.token_bytes(13)).decode().lower()[:20]}"


def build(
    settings: Settings,
    *,
    role: Role = "all",
    deployment: Deployment | None = None,
    clock: Clock | None = None,
    ids: Ids | None = None,
    model: Model | None = None,
) -> Service:
    """A process's parts, not started. Slack's channel is added when it is connected."""
    deployment = deployment or Deployment.load(settings.config_dir, settings.human_approval_timeout)
    clock, ids, database = clock or SystemClock(), ids or RandomIds(), connect(settings.database_url.get_secret_value())
    threads, index = Threads(database, clock), ApprovalIndex(database, clock)
    smtp, inbox = _smtp(settings), Inbox(threads, clock, ids, deployment.default_agent)
    mail = _mail_channel(settings, deployment, smtp, clock) if smtp else None
    outbox, gate = Outbox(_channels(settings, mail, clock)), _gate(deployment, settings, index, threads, clock, ids)
    model = model or _model(settings)
    loop = Loop(_agents(deployment, settings), model, gate, outbox, clock, ids)
    worker, cards = Worker(threads, loop), Cards(index, gate, outbox)
    engine = engine_for(worker, cards, _bounds(settings, deployment))
    return Service(
        settings=settings,
        deployment=deployment,
        clock=clock,
        ids=ids,
        model=model,
        threads=threads,
        index=index,
        gate=gate,
        inbox=inbox,
        outbox=outbox,
        engine=engine,
        cards=cards,
        trail=AuditTrail(Trail(database), AuditFile(settings.audit_log_path) if settings.audit_log_path else None),
        smtp=smtp,
        mail=mail,
        sign_in=_sign_in(deployment, settings, threads, clock, ids),
        mail_desk=_mail_desk(settings, gate, threads, inbox, mail) if mail else None,
        role=role,
    )


def engine_for(worker: Worker, cards: Cards, bounds: Bounds) -> Engine:
    """The engine that fits the database; it and the cards are told what there is to do, also where they do not run."""
    threads = worker.threads
    dispatcher = Dispatcher(worker, bounds)
    engine = _engine(threads, dispatcher, cards)
    threads.wake, threads.seat, threads.cards_changed = engine.wake, dispatcher.seat, cards.changed
    return engine


def _engine(threads: Threads, dispatcher: Dispatcher, cards: Cards) -> Engine:
    if threads.database.is_sqlite:
        return LocalEngine(threads, dispatcher)
    from bot.procrastinate_engine import ProcrastinateEngine  # noqa: PLC0415 - an extra; SQLite does without

    return ProcrastinateEngine(threads, dispatcher, cards.changed)


def _gate(
    deployment: Deployment, settings: Settings, index: ApprovalIndex, threads: Threads, clock: Clock, ids: Ids
) -> Gate:
    return Gate(
        index,
        threads,
        deployment.policy,
        deployment.directory,
        deployment.tools,
        clock,
        ids,
        timeout=settings.human_approval_timeout,
        channels=_channel_names(settings),
        reminders=settings.human_approval_retries,
        standing=_standing(settings),
    )


def _standing(settings: Settings) -> Standing:
    if settings.slack_bot_token is None:
        return NO_PLACE
    from bot.slack.standing import SlackStanding  # noqa: PLC0415 - the SDK is slow to import, if it is needed

    return SlackStanding(settings.slack_bot_token.get_secret_value(), settings.slack_api_url)


def _model(settings: Settings) -> OpenAIModel:
    key = settings.openai_api_key
    return OpenAIModel(
        api_key=key.get_secret_value() if key else "",
        base_url=settings.openai_base_url,
        api=settings.openai_api,
        timeout=settings.model_timeout,
    )


def _smtp(settings: Settings) -> SmtpSender | None:
    url = settings.smtp_url
    return SmtpSender(url.get_secret_value(), helo=settings.email_domain) if url else None


def _mail_channel(settings: Settings, deployment: Deployment, smtp: SmtpSender, clock: Clock) -> MailChannel:
    address = settings.email_address or ""
    message_id_for("r", "0" * 32, settings.email_domain)  # a domain that is too long is told now, not at the first mail
    return MailChannel(
        sender=smtp,
        address=address,
        name=deployment.agent().variables.get("agent_name", address.partition("@")[0].capitalize()),
        secrets=settings.secret_keys,
        public_url=settings.public_url,
        clock=clock,
        instance=_instance(settings),
    )


def _channels(settings: Settings, mail: MailChannel | None, clock: Clock) -> dict[str, Channel]:
    """Those that need no connection of their own."""
    found: dict[str, Channel] = {"mail": mail} if mail else {}
    if settings.human_approval_endpoint is None:
        return found
    from bot.hook import HookChannel  # noqa: PLC0415 - its HTTP client is slow to import, if it is needed

    url = settings.human_approval_endpoint.get_secret_value()
    return found | {"hook": HookChannel(url, settings.endpoint_keys, settings.public_url, clock)}


def _instance(settings: Settings) -> str:
    """The mark of this deployment's mail. Message-IDs do not tell it: those of colleagues end in the same domain."""
    key = settings.secret_keys[0].encode() if settings.secret_keys else b""
    return hmac.new(key, b"twokey.instance", hashlib.sha256).hexdigest()[:16]


def _sign_in(deployment: Deployment, settings: Settings, threads: Threads, clock: Clock, ids: Ids) -> SignIn:
    rows = SignIns(threads.database, clock)
    return SignIn(rows, deployment.directory, settings.secret_keys, clock, ids, settings.public_url)


def _agents(deployment: Deployment, settings: Settings) -> Mapping[str, Agent]:
    return {
        name: Agent(
            name=name,
            model=each.model or settings.openai_model,
            prompt=each.prompt,
            rules=Rules(
                each.tools,
                deployment.policy.judge,
                guardrail=Guardrail(settings.guardrail_threshold, deployment.policy.doubted())
                if each.guardrail
                else None,
                roles=deployment.directory.roles,
            ),
            variables=each.variables,
            guardrail=each.guardrail,
        )
        for name, each in deployment.agents.items()
    }


def _bounds(settings: Settings, deployment: Deployment) -> Bounds:
    share = settings.workers_per_person or max(1, settings.workers // 2)
    agents = {name: each.at_once for name, each in deployment.agents.items() if each.at_once is not None}
    return Bounds(total=settings.workers, person=share, agents=agents)


def _channel_names(settings: Settings) -> frozenset[str]:
    slack = {"slack"} if settings.slack_mode != "off" else set()
    hook = {"hook"} if settings.human_approval_endpoint else set()
    return frozenset(slack | hook | ({"mail"} if settings.mail_enabled else set()))


def _mail_desk(settings: Settings, gate: Gate, threads: Threads, inbox: Inbox, mail: MailChannel) -> MailDesk:
    trusted = settings.email_trusted_authserv_id
    return MailDesk(
        keeper=Mails(threads.database, gate.clock),
        threads=threads,
        inbox=inbox,
        replies=ApprovalReplies(gate, gate.directory, settings.secret_keys, mail.answer),
        reading=Reading(
            own=OwnMail(addresses=frozenset({mail.address}), instance=mail.instance),
            trusted_authserv_ids=frozenset({trusted} if trusted else ()),
            delimiter=ABOVE,
        ),
        address=mail.address,
        secrets=settings.secret_keys,
        clock=gate.clock,
        accept_unverified=settings.email_accept_unverified,
    )
