"""The price list."""

from vivero_core.model.plan import Plan
from vivero_web.errors import UnavailableError

from vivero_control.domain.plans.errors import PlanNotFoundError
from vivero_control.domain.plans.repository import PlanInformer
from vivero_control.domain.plans.schemas import PlanLimits, PlanView
from vivero_control.domain.plans.selling_points import FEATURES


class PlanService:
    """Reads plans from the informer: no request waits for the cluster."""

    def __init__(self, informer: PlanInformer) -> None:
        self._mirror = informer

    def offered(self) -> tuple[PlanView, ...]:
        """The public price list, cheapest first.

        Raises:
            UnavailableError: just started, or the cluster is away since.
        """
        return tuple(plan for plan in self.all() if plan.offered)

    def all(self) -> tuple[PlanView, ...]:
        """Every plan, for staff; cheapest first.

        Raises:
            UnavailableError: just started, or the cluster is away since.
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
        support=spec.support,
        limits=PlanLimits(
            records=spec.limits.records,
            users=spec.limits.users,
            storage_bytes=spec.limits.storage_bytes,
            requests_per_minute=spec.limits.requests_per_minute,
        ),
        features=tuple(feature for feature in spec.features if feature in FEATURES),
    )
