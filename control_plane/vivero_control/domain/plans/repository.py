"""Plans in the cluster, mirrored: the price list changes when someone applies a Plan."""

from vivero_core.backends.kube.resources import PLAN
from vivero_core.model.plan import Plan

from vivero_control.lib.informer import Informer


class PlanInformer(Informer[Plan]):
    """Every Plan, by name."""

    def __init__(self) -> None:
        super().__init__(PLAN, Plan, keys=lambda _: ())
