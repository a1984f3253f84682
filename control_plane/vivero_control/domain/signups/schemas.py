"""What a signup looks like from outside; API and pages share these."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import replace
from vivero_core.model.constants import PLAN_TRIAL
from vivero_core.model.naming import SLUG_MAX_LENGTH, SLUG_MIN_LENGTH, SLUG_PATTERN
from vivero_web.fields import SECRET_MAX, Company, Email, NewPassword, documented

from vivero_control.domain.signups.leads import Lead
from vivero_control.domain.signups.work import PROOF_MAX
from vivero_control.domain.tenants.schemas import OBJECT_NAME_MAX


class StartSignup(Struct, kw_only=True):
    """A prospect asks for a workspace, and becomes its owner."""

    company: Company
    email: Email
    password: NewPassword
    slug: (
        Annotated[
            str,
            documented(
                "First part of the workspace's address; derived from the company when it is not said.",
                minLength=SLUG_MIN_LENGTH,
                maxLength=SLUG_MAX_LENGTH,
                pattern=SLUG_PATTERN,
            ),
        ]
        | None
    ) = None
    plan: Annotated[
        str, Meta(min_length=1, max_length=OBJECT_NAME_MAX, description="Name of a plan that can be tried.")
    ] = PLAN_TRIAL
    proof: Annotated[
        str,
        Meta(
            max_length=PROOF_MAX,
            description="Only for a network that signs up often: a solved challenge as altcha's widgets send it, in base64.",
        ),
    ] = ""
    lead: Annotated[Lead, Meta(description="Where the prospect came from, if that is known.")] = Lead()

    def __repr__(self) -> str:
        """Without the password: a repr ends in logs."""
        return f"StartSignup(company={self.company!r}, slug={self.slug!r}, plan={self.plan!r})"


def without_proof(request: StartSignup) -> StartSignup:
    """What is asked for: sent again with another proof, it is the same request."""
    return replace(request, proof="")


class TenantRef(Struct, frozen=True):
    """The workspace of a signup."""

    name: Annotated[
        str | None,
        Meta(
            description="metadata.name of its Tenant, which need not be the slug; null until there is one: only when "
            "the cluster did not answer in time, and for moments after."
        ),
    ]
    slug: Annotated[str, Meta(description="First part of its address.")]
    url: Annotated[str, Meta(description="Where it is, or will be.")]


class Step(Struct, frozen=True, kw_only=True):
    """One part of a workspace on its way."""

    name: Annotated[
        Literal["database", "storage", "cache", "workload", "route", "owner", "ready"],
        Meta(description="Stable word for programs."),
    ]
    label: Annotated[str, Meta(description="Words for people.")]
    state: Annotated[Literal["waiting", "running", "done", "failed"], Meta(description="Where it stands.")]
    message: Annotated[str, Meta(description="What there is to say about it, for people.")] = ""
    finished_at: Annotated[datetime | None, Meta(description="When it was done; null as long as it is not.")] = None


class Waiting(Struct, frozen=True, kw_only=True):
    """A signup whose provisioning failed so far, and is retried."""

    since: Annotated[datetime, Meta(description="The first attempt.")]
    next_attempt_at: Annotated[datetime, Meta(description="When it is tried again; a moment that is over: any moment.")]
    until: Annotated[
        datetime | UnsetType,
        Meta(
            description="Then it is given up, its address is free again, and a mail says so; known after some attempts."
        ),
    ] = UNSET


class SignupView(Struct, frozen=True, kw_only=True):
    """How far a signup is."""

    id: Annotated[str, Meta(description="Whoever has it sees the progress, and nothing else.")]
    state: Annotated[
        Literal["provisioning", "ready", "failed"],
        Meta(description="`ready`: proved by use, and seen to answer at its address."),
    ]
    tenant: TenantRef
    steps: Annotated[tuple[Step, ...], Meta(description="All of them, in their order.")] = ()
    detail: Annotated[str, Meta(description="One sentence for people about the whole.")] = ""
    created_at: Annotated[datetime, Meta(description="When it was asked for.")]
    bearer: Annotated[
        str | UnsetType,
        Meta(description="Secret, only in the answer to the POST: `Authorization: Bearer …` gets `login_url` with it."),
    ] = UNSET
    waiting: Annotated[
        Waiting | UnsetType, Meta(description="Present while provisioning is retried because a part did not answer.")
    ] = UNSET
    login_url: Annotated[
        str | UnsetType,
        Meta(
            description="One-time login link into the workspace, only with the bearer; present when ready, for a day "
            "after signup. Its ticket stands behind the `#`; programs may POST it as the form field `ticket`."
        ),
    ] = UNSET

    email_confirmed: Annotated[
        bool, Meta(description="Whether its owner has followed the link that was mailed to confirm the address.")
    ] = False

    def __repr__(self) -> str:
        """Without the secrets: a repr ends in logs."""
        return f"SignupView(id={self.id!r}, state={self.state!r})"

    @property
    def finished(self) -> bool:
        return self.state != "provisioning"


class ConfirmAddress(Struct, frozen=True, forbid_unknown_fields=True):
    """The secret of a link that was mailed after a signup."""

    code: Annotated[str, Meta(max_length=SECRET_MAX, description="The link, or what follows its `#`.")]

    def __repr__(self) -> str:
        """Without it: a repr ends in logs."""
        return "ConfirmAddress(…)"


class AskForLink(Struct, frozen=True, forbid_unknown_fields=True):
    """Another link is wanted."""

    slug: Annotated[
        str,
        documented(
            "First part of the workspace's address.",
            minLength=SLUG_MIN_LENGTH,
            maxLength=SLUG_MAX_LENGTH,
            pattern=SLUG_PATTERN,
        ),
    ]


class ConfirmedView(Struct, frozen=True):
    """A signup whose address is confirmed."""

    url: Annotated[str, Meta(description="Where its workspace is.")]
    join_code: Annotated[
        str | UnsetType,
        Meta(
            description="Present when the company has a workspace already: who sends it to "
            "`POST /api/v1/signups/join-requests` asks its owner for an invitation."
        ),
    ] = UNSET

    def __repr__(self) -> str:
        """Without the code: a repr ends in logs."""
        return f"ConfirmedView(url={self.url!r})"


class LeadView(Struct, frozen=True, kw_only=True):
    """The signup of a tenant."""

    signed_up_at: Annotated[datetime | None, Meta(description="Null for a tenant that no signup has made.")]
    confirmed_at: Annotated[datetime | None, Meta(description="When its owner confirmed the address; null until then.")]
    lead: Annotated[Lead, Meta(description="Where its owner came from, in the words of a browser.")]
