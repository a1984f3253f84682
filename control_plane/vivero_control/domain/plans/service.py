"""The price list: the Plans in the cluster, as API and pages show them."""

from typing import Annotated

from msgspec import Meta, Struct
from vivero_core.backends.kube.resources import PLAN
from vivero_core.model.plan import Feature, Plan
from vivero_web.errors import InvalidInputError, NotFoundError, UnavailableError

from vivero_control.domain.plans.selling_points import FEATURES
from vivero_control.lib.informer import Informer


class PlanNotFoundError(NotFoundError):
    """There is no Plan of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no plan “{name}”.")


def unknown_plan(name: str) -> InvalidInputError:
    """For a plan named in an input field."""
    return InvalidInputError.of("plan", f"There is no plan “{name}”.")


class PlanLimits(Struct, frozen=True, kw_only=True):
    """Bounds of use; null is unlimited."""

    records: Annotated[int | None, Meta(description="Of all collections together.")]
    users: Annotated[int | None, Meta(description="Active ones.")]
    storage_bytes: Annotated[int | None, Meta(description="Of the contents of files.")]
    requests_per_minute: Annotated[int | None, Meta(description="Of all users together.")]


class PlanView(Struct, frozen=True, kw_only=True):
    """One plan."""

    name: Annotated[str, Meta(description="Stable word for programs, for example `starter`.")]
    display_name: Annotated[str, Meta(description="Its name for people.")]
    description: Annotated[str, Meta(description="One sentence about it.")]
    price_cents: Annotated[int, Meta(description="For one month.")]
    currency: Annotated[str, Meta(description="Of the price, such as `EUR`.")]
    starting_at: Annotated[bool, Meta(description="True when the price is a floor and sales agree on the real one.")]
    offered: Annotated[bool, Meta(description="Whether it is on the public price list.")]
    trial_days: Annotated[int | None, Meta(description="Set on plans that can be tried without paying.")]
    undo_days: Annotated[
        int, Meta(description="How many days the data of a workspace that was deleted is kept; 0: it goes at once.")
    ]
    support: Annotated[str, Meta(description="What help comes with it.")]
    limits: PlanLimits
    features: Annotated[tuple[Feature, ...], Meta(description="What is there today; a plan grows by it later.")]


class PlanInformer(Informer[Plan]):
    """Every Plan, by name."""

    def __init__(self) -> None:
        super().__init__(PLAN, Plan, keys=lambda _: ())


class PlanService:
    """Reads plans from the informer: no request waits for the cluster."""

    def __init__(self, informer: PlanInformer) -> None:
        self._mirror = informer

    def offered(self) -> tuple[PlanView, ...]:
        """The public price list, cheapest first.

        Raises:
            UnavailableError: just started, and the cluster has not answered yet.
        """
        return tuple(plan for plan in self.all() if plan.offered)

    def all(self) -> tuple[PlanView, ...]:
        """Every plan, for staff; cheapest first.

        Raises:
            UnavailableError: just started, and the cluster has not answered yet.
        """
        self._check_synced()
        return tuple(
            view(plan) for plan in sorted(self._mirror.all(), key=lambda one: (one.spec.price.amount_cents, one.name))
        )

    def find(self, name: str) -> PlanView:
        """Raises PlanNotFoundError, UnavailableError."""
        self._check_synced()
        plan = self._mirror.get(name)
        if plan is None:
            raise PlanNotFoundError(name)
        return view(plan)

    def find_offered(self, name: str) -> PlanView:
        """As `find`; to the public, a plan that is not offered does not exist."""
        plan = self.find(name)
        if not plan.offered:
            raise PlanNotFoundError(name)
        return plan

    def _check_synced(self) -> None:
        if not self._mirror.all() and not self._mirror.synced:
            raise UnavailableError


def view(plan: Plan) -> PlanView:
    spec = plan.spec
    return PlanView(
        name=plan.name,
        display_name=spec.display_name,
        description=spec.description,
        price_cents=spec.price.amount_cents,
        currency=spec.price.currency,
        starting_at=spec.price.starting_at,
        offered=spec.offered,
        trial_days=spec.trial_days,
        undo_days=spec.undo_days,
        support=spec.support,
        limits=PlanLimits(
            records=spec.limits.records,
            users=spec.limits.users,
            storage_bytes=spec.limits.storage_bytes,
            requests_per_minute=spec.limits.requests_per_minute,
        ),
        features=tuple(feature for feature in spec.features if feature in FEATURES),
    )
