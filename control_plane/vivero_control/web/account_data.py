"""The page on a person's data: what the control plane has of them as a file, all of the workspace, and requests."""

from typing import Final

import msgspec
from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.response import Template
from vivero_web.errors import NotAllowedError

from vivero_control.domain.accounts.personal_data import PersonalDataService
from vivero_control.web.account_shell import BEHIND_THE_LINK, Portal
from vivero_control.web.site import ACCOUNT

DATA: Final = f"{ACCOUNT}/data"


class AccountDataController(Controller):
    """For the person of the session alone: nothing in the address says whose data it is."""

    path = DATA
    include_in_schema = False
    dependencies = BEHIND_THE_LINK

    @get("/", sync_to_thread=False)
    def page(self, portal: NamedDependency[Portal]) -> Template:
        return portal.page("account_data", "/data")

    @get("/file")
    async def file(
        self, portal: NamedDependency[Portal], personal_data: NamedDependency[PersonalDataService]
    ) -> Response[bytes]:
        """As JSON."""
        if not portal.visit.email:
            raise NotAllowedError("You came from a workspace, which names no person. Ask for a link by mail first.")
        found = msgspec.json.format(msgspec.json.encode(await personal_data.of(portal.visit.email)), indent=2)
        headers = {"Content-Disposition": 'attachment; filename="my-data.json"'}
        return Response(found, media_type="application/json", headers=headers)
