"""The tables. Only repositories read and write them; a change is an Alembic revision.

Nothing here is a tenant's: the control plane keeps who signed up, what is
still to be done, and what was done by whom. What a tenant is stands in the
cluster, as a Tenant.
"""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    JSON,
    BigInteger,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.mysql import MEDIUMBLOB, VARBINARY
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from vivero_core.tracing.context import LENGTH as TRACEPARENT_LENGTH

EMAIL_LENGTH = 254
OUTBOX_KEY_LENGTH = 190
SUBJECT_LENGTH = 120
PROVIDER_ID_LENGTH = 255  # of the payment provider's names for its objects
# As the revisions have named indexes and constraints from the first one on.
NAMES = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Of all tables."""

    metadata = MetaData(naming_convention=NAMES)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: MariaDB's DATETIME has no time zone, and holds UTC."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  SQLAlchemy's own
        if value is not None and value.tzinfo is None:
            raise TypeError("a moment needs its time zone")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  as above
        return value and value.replace(tzinfo=UTC)


class Account(Base):
    """A person who signed up; has no password here, it is in the workspace."""

    __tablename__ = "accounts"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    email: Mapped[str] = mapped_column(String(EMAIL_LENGTH), unique=True)
    """One account for each mailbox, whatever the spelling (`domain/signups/policies.py`); not to write to."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Signup(Base):
    """One request for a workspace; the Tenant that names this signup's Secret is its outcome, whatever its name."""

    __tablename__ = "signups"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    """128 random bits. It shows the progress and opens nothing."""
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    email: Mapped[str] = mapped_column(String(EMAIL_LENGTH))
    """As the owner spelt it; the workspace's login."""
    company: Mapped[str] = mapped_column(String(80))
    slug: Mapped[str] = mapped_column(String(40), index=True)
    slug_claim: Mapped[str | None] = mapped_column(String(40), unique=True)
    """The slug while it is taken; null once its Tenant is gone, so that the slug can be used again."""
    plan: Mapped[str] = mapped_column(String(253))
    trial_ends_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failure: Mapped[str | None] = mapped_column(String(500))
    """A sentence for the person, when it can never succeed."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When its owner followed a link in a mail; null until then, and for those of before there were such links."""
    lead: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))
    """Where its owner came from (`domain/signups/leads.py`); null where that is not known."""


class SignupLink(Base):
    """A mailed link that confirms the address of a signup; they all go with the first that is followed."""

    __tablename__ = "signup_links"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    signup_id: Mapped[str] = mapped_column(ForeignKey("signups.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class Trial(Base):
    """The one trial of a person: the signup that was confirmed first."""

    __tablename__ = "trials"

    person: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Keyed digest of the mailbox (`domain/signups/people.py`), so that the table names no person by itself."""
    signup_id: Mapped[str] = mapped_column(ForeignKey("signups.id", ondelete="CASCADE"), unique=True)
    claimed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Company(Base):
    """A company, by the domain of its addresses: the first signup that was confirmed with one."""

    __tablename__ = "companies"

    domain: Mapped[str] = mapped_column(String(EMAIL_LENGTH), primary_key=True)
    signup_id: Mapped[str] = mapped_column(ForeignKey("signups.id", ondelete="CASCADE"), unique=True)
    confirmed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class OutboxEntry(Base):
    """A job: something that must happen, written in the transaction that decided it."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_due", "state", "due_at"),
        Index("ix_outbox_kind_due", "kind", "state", "due_at"),
        Index("ix_outbox_subject", "subject", "created_at", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(OUTBOX_KEY_LENGTH), unique=True)
    """Makes it idempotent: a second job with this key is none."""
    payload: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """Null once it is done, or dead for too long: a password's hash is kept no longer than needed."""
    subject: Mapped[str | None] = mapped_column(String(SUBJECT_LENGTH))
    """Whom it is about, as in the audit log; null: nobody in it, or an older program wrote it."""
    traceparent: Mapped[str | None] = mapped_column(String(TRACEPARENT_LENGTH))
    """By which span of which trace it was enqueued; null: that was not traced."""
    state: Mapped[str] = mapped_column(String(8), default="pending")
    """pending, done, or dead (given up; a person looks)."""
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    gives_up_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Until when it is retried; set by its first failure."""
    last_error: Mapped[str | None] = mapped_column(String(500))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class IdempotencyRecord(Base):
    """A POST that was given an Idempotency-Key, and its answer."""

    __tablename__ = "idempotency"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Keyed digest of operation and Idempotency-Key."""
    fingerprint: Mapped[str] = mapped_column(String(64))
    """Keyed digest of the request's body, so that a low-entropy password in it cannot be guessed from here."""
    answer: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """Null while the first request is being processed."""
    locked_until: Mapped[datetime] = mapped_column(UtcDateTime)
    """After this another request may take over from a crashed one."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class StaffMember(Base):
    """A person who runs the platform."""

    __tablename__ = "staff"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    email: Mapped[str] = mapped_column(String(EMAIL_LENGTH), unique=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(16))
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class StaffSecondFactor(Base):
    """What somebody of the staff proves a login with besides the password."""

    __tablename__ = "staff_second_factors"

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), primary_key=True)
    secret: Mapped[bytes] = mapped_column(VARBINARY(128))
    """Of the authenticator app, sealed."""
    active: Mapped[bool]
    """Whether a code of it has come back."""
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    last_step: Mapped[int] = mapped_column(BigInteger)
    """Of the newest code that was used, in 30 seconds since 1970."""


class StaffApiKey(Base):
    """A key by which programs act for one of the staff."""

    __tablename__ = "staff_api_keys"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    prefix: Mapped[str] = mapped_column(String(8, collation="ascii_bin"), unique=True)
    scopes: Mapped[str] = mapped_column(String(200))
    """With blanks between them."""
    digest: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    valid_days: Mapped[int]
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    old_digest: Mapped[str | None] = mapped_column(String(64))
    """Of the secret from before a rotation, which is good until `old_until` as well."""
    old_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class StaffRecoveryCode(Base):
    """A code that lets in once without the app, by its digest."""

    __tablename__ = "staff_recovery_codes"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), index=True)


class RefreshToken(Base):
    """A refresh token of staff, by its digest; each works once."""

    __tablename__ = "staff_refresh_tokens"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    family: Mapped[UUID] = mapped_column(Uuid, index=True)
    """All tokens that descend from one login: a used one seen again ends them all."""
    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"), index=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class StaffLink(Base):
    """A one-time link that lets somebody of the staff choose a password; good once, and only the newest."""

    __tablename__ = "staff_links"

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ChannelCost(Base):
    """What a channel cost in a month."""

    __tablename__ = "channel_costs"

    month: Mapped[date] = mapped_column(Date, primary_key=True)
    channel: Mapped[str] = mapped_column(String(100, collation="utf8mb4_bin"), primary_key=True)
    currency: Mapped[str] = mapped_column(String(3), primary_key=True)
    cents: Mapped[int] = mapped_column(BigInteger)


class BulkRun(Base):
    """One order of one of the staff for all tenants that match a filter."""

    __tablename__ = "bulk_runs"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    action: Mapped[str] = mapped_column(String(32))
    said: Mapped[dict[str, Any]] = mapped_column(JSON)
    """A bulk_runs.schemas.NewRun."""
    actor: Mapped[str] = mapped_column(String(EMAIL_LENGTH))
    reason: Mapped[str] = mapped_column(String(500))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class BulkItem(Base):
    """One tenant of such an order, and what became of it."""

    __tablename__ = "bulk_items"

    run_id: Mapped[int] = mapped_column(ForeignKey("bulk_runs.id", ondelete="CASCADE"), primary_key=True)
    tenant: Mapped[str] = mapped_column(String(253), primary_key=True)
    generation: Mapped[int] = mapped_column(BigInteger)
    """In which it was looked at."""
    state: Mapped[str] = mapped_column(String(16))
    """A bulk_runs.schemas.ItemState."""
    begun: Mapped[bool] = mapped_column(default=False)
    """Whether an attempt may have changed it."""
    message: Mapped[str] = mapped_column(String(500), default="")


class SavedView(Base):
    """A view of the tenants' list that one of the staff has saved."""

    __tablename__ = "saved_views"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(60))
    shared: Mapped[bool]
    """With all of the staff."""
    wanted: Mapped[dict[str, str]] = mapped_column(JSON)
    """Filters, order and columns as an address has them (`domain/tenant_views/policies.py`)."""
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SavedViewChoice(Base):
    """The view that one of the staff sees first."""

    __tablename__ = "saved_view_choices"

    staff_id: Mapped[UUID] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), primary_key=True)
    view_id: Mapped[int] = mapped_column(ForeignKey("saved_views.id", ondelete="CASCADE"), index=True)


class AuditRecord(Base):
    """Who did what to what, why, and what came of it. Rows are added and their outcome filled in, never removed."""

    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_audit_subject", "subject", "id"),
        Index("ix_audit_subject_at", "subject", "at", "id"),
        Index("ix_audit_action", "action", "at"),
        Index("ix_audit_actor", "actor", "at"),
        Index("ix_audit_at", "at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str] = mapped_column(String(EMAIL_LENGTH))
    action: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(SUBJECT_LENGTH))
    reason: Mapped[str] = mapped_column(String(500))
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)
    outcome: Mapped[str] = mapped_column(String(200))
    """`intended` until the change is made, then `done` or why not."""
    request_id: Mapped[str] = mapped_column(String(64))
    source: Mapped[str | None] = mapped_column(String(64), unique=True)
    """Identifies an action outside this program, so that it is logged once."""
    address: Mapped[str] = mapped_column(String(45), server_default="")
    """Who asked, as limits count it; empty for what the platform does by itself."""


class WorkspaceManager(Base):
    """A person whom the owner of a workspace lets manage it from outside."""

    __tablename__ = "workspace_managers"
    __table_args__ = (UniqueConstraint("tenant_id", "email"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    tenant_id: Mapped[str] = mapped_column(String(16))
    """The id, which a deleted Tenant has again when it is brought back; no other ever has it."""
    email: Mapped[str] = mapped_column(String(EMAIL_LENGTH), index=True)
    """In lower case."""
    named_by: Mapped[str] = mapped_column(String(EMAIL_LENGTH))
    named_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SupportGrant(Base):
    """Leave of an owner for the platform's staff to look at a workspace."""

    __tablename__ = "support_grants"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    """Random, in hex; the workspace knows the grant by it."""
    tenant_id: Mapped[str] = mapped_column(String(16), index=True)
    """As of a WorkspaceManager."""
    role: Mapped[str] = mapped_column(String(16))
    granted_by: Mapped[str] = mapped_column(String(EMAIL_LENGTH))
    granted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """Earlier than it was granted for where the owner has ended it."""


class BillingCustomer(Base):
    """Who pays for a workspace. Its row is the lock under which the provider's state is read and applied."""

    __tablename__ = "billing_customers"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    """The key under which the provider makes this customer once."""
    tenant_uid: Mapped[str] = mapped_column(String(63), unique=True)
    tenant: Mapped[str] = mapped_column(String(63))
    """Name of the Tenant; another one of this name has another uid."""
    provider_id: Mapped[str | None] = mapped_column(String(PROVIDER_ID_LENGTH), unique=True)
    """Null until the provider has made it."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    applied_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the provider's state was applied last."""


class BillingCheckout(Base):
    """An order that a customer was sent to the provider's payment page with."""

    __tablename__ = "billing_checkouts"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    """The key under which the provider makes the page once."""
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("billing_customers.id"), index=True)
    plan: Mapped[str] = mapped_column(String(253))
    interval: Mapped[str] = mapped_column(String(8))
    amount_cents: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    provider_id: Mapped[str] = mapped_column(String(PROVIDER_ID_LENGTH))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class BillingSubscription(Base):
    """A subscription as the provider had it when it was applied."""

    __tablename__ = "billing_subscriptions"

    id: Mapped[str] = mapped_column(String(PROVIDER_ID_LENGTH), primary_key=True)
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("billing_customers.id"), index=True)
    status: Mapped[str] = mapped_column(String(24))
    plan: Mapped[str] = mapped_column(String(253))
    interval: Mapped[str] = mapped_column(String(8))
    amount_cents: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    period_start: Mapped[datetime] = mapped_column(UtcDateTime)
    period_end: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_with_period: Mapped[bool]
    next_plan: Mapped[str | None] = mapped_column(String(253))
    paused_from: Mapped[datetime | None] = mapped_column(UtcDateTime)
    paused_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class BillingInvoice(Base):
    """An invoice as the provider had it when it was applied."""

    __tablename__ = "billing_invoices"
    __table_args__ = (UniqueConstraint("customer_id", "charge", name="uq_billing_invoices_charge"),)

    id: Mapped[str] = mapped_column(String(PROVIDER_ID_LENGTH), primary_key=True)
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("billing_customers.id"))
    charge: Mapped[str | None] = mapped_column(String(320))
    """What it charges for: subscription, beginning of the period, kind. Null where it charges nothing."""
    number: Mapped[str | None] = mapped_column(String(64))
    subscription: Mapped[str | None] = mapped_column(String(PROVIDER_ID_LENGTH))
    status: Mapped[str] = mapped_column(String(24))
    kind: Mapped[str] = mapped_column(String(24))
    total_cents: Mapped[int] = mapped_column(BigInteger)
    paid_cents: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    period_start: Mapped[datetime] = mapped_column(UtcDateTime)
    period_end: Mapped[datetime] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    page_url: Mapped[str | None] = mapped_column(String(2048))
    pdf_url: Mapped[str | None] = mapped_column(String(2048))


class BillingDifference(Base):
    """What the hourly comparison has found to be different."""

    __tablename__ = "billing_differences"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    customer_id: Mapped[UUID] = mapped_column(ForeignKey("billing_customers.id"), index=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    """Makes one that stays one row."""
    what: Mapped[str] = mapped_column(String(40))
    detail: Mapped[str] = mapped_column(String(500))
    found_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Quote(Base):
    """An offer that staff make to a company."""

    __tablename__ = "quotes"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    state: Mapped[str] = mapped_column(String(12), index=True)
    """As it was left; one that was sent expires with `valid_until`."""
    terms: Mapped[dict[str, Any]] = mapped_column(JSON)
    """A QuoteTerms; it stays as it is once the quote is sent."""
    tenant_uid: Mapped[str | None] = mapped_column(String(63))
    """Of the Tenant that the terms name; another one of this name has another uid."""
    valid_until: Mapped[date] = mapped_column(Date)
    link: Mapped[str | None] = mapped_column(String(64), unique=True)
    """Digest of what the mailed link carries; null until it is mailed."""
    made_by: Mapped[str] = mapped_column(String(EMAIL_LENGTH))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_by: Mapped[str] = mapped_column(String(EMAIL_LENGTH), default="")
    reason: Mapped[str] = mapped_column(String(500), default="")


class Contract(Base):
    """A quote that was accepted: what holds for a workspace from one day to another."""

    __tablename__ = "contracts"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    quote_id: Mapped[int] = mapped_column(ForeignKey("quotes.id"), unique=True)
    tenant: Mapped[str | None] = mapped_column(String(253))
    tenant_uid: Mapped[str | None] = mapped_column(String(63), index=True)
    """Null while there is no workspace that it is for."""
    terms: Mapped[dict[str, Any]] = mapped_column(JSON)
    """Those of the quote, with the purchase-order number that the customer gave."""
    starts_on: Mapped[date] = mapped_column(Date)
    ends_on: Mapped[date] = mapped_column(Date, index=True)
    """The last day."""
    seller: Mapped[str] = mapped_column(String(EMAIL_LENGTH))
    """Who of the staff made the quote, and is told what happens."""
    accepted_by: Mapped[str] = mapped_column(String(120))
    accepted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    terms_version: Mapped[str] = mapped_column(String(20))
    applied_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When its Tenant was first seen to have what was agreed on."""
    told_of_end: Mapped[int | None]
    """Days before the end of the last notice to staff."""


class InvoiceNumber(Base):
    """The last number of invoices of one year; its row is locked while the next one is taken."""

    __tablename__ = "invoice_numbers"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]


class ContractInvoice(Base):
    """An invoice of a contract, or a credit note that takes one back. What it says never changes."""

    __tablename__ = "contract_invoices"
    __table_args__ = (UniqueConstraint("contract_id", "kind", "period_from", name="uq_contract_invoices_period"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    contract_id: Mapped[int] = mapped_column(ForeignKey("contracts.id"))
    kind: Mapped[str] = mapped_column(String(3))
    period_from: Mapped[date] = mapped_column(Date)
    due_on: Mapped[date] = mapped_column(Date, index=True)
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    """An invoices.content.Content."""
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("contract_invoices.id"), unique=True)
    """Of a credit note: the invoice that it takes back."""
    paid_on: Mapped[date | None] = mapped_column(Date)
    payment_reference: Mapped[str] = mapped_column(String(120), default="")
    told_late: Mapped[int | None]
    """Days late of the last reminder."""


class InvoiceDocument(Base):
    """The document of an invoice, as it was made once."""

    __tablename__ = "invoice_documents"

    invoice_id: Mapped[int] = mapped_column(ForeignKey("contract_invoices.id"), primary_key=True, autoincrement=False)
    pdf: Mapped[bytes] = mapped_column(MEDIUMBLOB)
    sha256: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)


class StatusDay(Base):
    """Minutes of one component of the service on one day (UTC), by what was measured in them."""

    __tablename__ = "status_days"

    component: Mapped[str] = mapped_column(String(16), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    operational: Mapped[int]
    degraded: Mapped[int]
    outage: Mapped[int]
    state: Mapped[str] = mapped_column(String(16))
    """Of the last minute that was counted."""
    measured_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """That minute; an older one is not counted any more."""


class StatusIncident(Base):
    """An incident or planned maintenance, as staff announce it."""

    __tablename__ = "status_incidents"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    title: Mapped[str] = mapped_column(String(120))
    state: Mapped[str] = mapped_column(String(16))
    components: Mapped[list[str]] = mapped_column(JSON)
    begins_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    planned_end: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Of maintenance."""
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Null while it is open."""


class StatusUpdate(Base):
    """What was said about an incident."""

    __tablename__ = "status_updates"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("status_incidents.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(String(2000))


class SiteVisits(Base):
    """Page loads of the landing page on one day (UTC), by where they came from; of no single visitor."""

    __tablename__ = "site_visits"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    source: Mapped[str] = mapped_column(String(100), primary_key=True)
    campaign: Mapped[str] = mapped_column(String(100), primary_key=True)
    visits: Mapped[int] = mapped_column(BigInteger)


class SignupJourney(Base):
    """How far a signup has come, as it was seen: its Tenant may be gone later."""

    __tablename__ = "signup_journeys"

    signup_id: Mapped[str] = mapped_column(ForeignKey("signups.id", ondelete="CASCADE"), primary_key=True)
    tenant_uid: Mapped[str] = mapped_column(String(63), index=True)
    """By which billing knows it."""
    provisioned_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """When its workspace was first seen to have worked, within minutes."""
    first_value_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it was first seen to hold a record, within minutes."""
    active_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it was first seen to be in use by several people (`domain/figures/policies.py`), within minutes."""


class SignupSign(Base):
    """Something that was seen of a signup's workspace, when it was first seen (`domain/leads/policies.py`)."""

    __tablename__ = "signup_signs"

    signup_id: Mapped[str] = mapped_column(ForeignKey("signups.id", ondelete="CASCADE"), primary_key=True)
    sign: Mapped[str] = mapped_column(String(24), primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)


class LeadRoute(Base):
    """Who of the staff looks after a trial, and which score they were told of."""

    __tablename__ = "lead_routes"

    signup_id: Mapped[str] = mapped_column(ForeignKey("signups.id", ondelete="CASCADE"), primary_key=True)
    staff_id: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id", ondelete="SET NULL"), index=True)
    assigned_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it was given to them; by it they take turns."""
    told: Mapped[int] = mapped_column(default=0)
    """The threshold of the score that was told last; 0: none."""


class WebhookEndpoint(Base):
    """A program that is told what happens to tenants."""

    __tablename__ = "webhook_endpoints"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    url: Mapped[str] = mapped_column(String(2000))
    events: Mapped[list[str]] = mapped_column(JSON)
    active: Mapped[bool] = mapped_column(default=True)
    failing_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Null while the last attempt succeeded."""
    secret: Mapped[bytes] = mapped_column(VARBINARY(128))
    """Of signatures, sealed."""
    old_secret: Mapped[bytes | None] = mapped_column(VARBINARY(128))
    """The one before, sealed, which signs as well for a while."""
    old_secret_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    made_by: Mapped[str] = mapped_column(String(EMAIL_LENGTH))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)


class WatchedTenant(Base):
    """What was last seen of a tenant, and how many events it had; locked while one is written."""

    __tablename__ = "watched_tenants"

    uid: Mapped[str] = mapped_column(String(63), primary_key=True)
    name: Mapped[str] = mapped_column(String(253))
    version: Mapped[int] = mapped_column(BigInteger, default=0)
    """The resource version at which it was seen; 0: never."""
    state: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """A webhooks.policies.State; null while it was not seen."""
    events: Mapped[int] = mapped_column(BigInteger, default=0)
    """The number of its last event."""
    gone_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    """When it was seen to be deleted."""


class TenantEvent(Base):
    """Something that happened to a tenant, as endpoints are told of it. What it says never changes."""

    __tablename__ = "tenant_events"
    __table_args__ = (UniqueConstraint("tenant_uid", "sequence", name="uq_tenant_events_sequence"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    message: Mapped[str] = mapped_column(String(64), unique=True)
    """The header webhook-id."""
    tenant_uid: Mapped[str] = mapped_column(String(63))
    tenant: Mapped[str] = mapped_column(String(253))
    sequence: Mapped[int] = mapped_column(BigInteger)
    """From 1 on, for each tenant."""
    type: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    body: Mapped[str] = mapped_column(Text)
    """JSON, byte for byte as it is signed."""


class WebhookAttempt(Base):
    """A request to an endpoint that was sent, or could not be."""

    __tablename__ = "webhook_attempts"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=True)
    endpoint_id: Mapped[int] = mapped_column(ForeignKey("webhook_endpoints.id", ondelete="CASCADE"), index=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("tenant_events.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    number: Mapped[int]
    status: Mapped[int | None]
    problem: Mapped[str] = mapped_column(String(255))
    answer: Mapped[str] = mapped_column(String(500))
