"""A tenant's margin over the API, for staff."""

from litestar import Controller, get
from litestar.di import NamedDependency
from vivero_web.declared import raises

from vivero_control.domain.margins.schemas import Margin
from vivero_control.domain.margins.service import CostsUnknownError, Margins
from vivero_control.domain.tenants.controllers import Name


class MarginController(Controller):
    """What a tenant costs and brings."""

    path = "/tenants/{name:str}/margin"
    tags = ("Figures",)

    @get(summary="What a tenant costs and brings in a month")
    @raises(CostsUnknownError)
    async def get_tenant_margin(self, margins: NamedDependency[Margins], name: Name) -> Margin:
        """At the rate of this moment: what the workspace says that it stores, its subscription and its contracts."""
        return await margins.of(name)
