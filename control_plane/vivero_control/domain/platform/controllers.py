"""/api/v1/platform-backup, for staff; dumps are for admins to ask for."""

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from vivero_web.declared import raises

from vivero_control.domain.backups.schemas import BackUp
from vivero_control.domain.platform.service import DumpRefusedError, PlatformBackups, PlatformBackupView
from vivero_control.domain.staff.guards import StaffRequest, admins_operate, writes
from vivero_control.domain.staff.schemas import Scope
from vivero_control.domain.tenants.errors import TenantRefusedError


class PlatformBackupController(Controller):
    """What the platform itself would be rebuilt from."""

    path = "/platform-backup"
    tags = ("Backups",)
    opt = writes(Scope.BACK_UP)

    @get(summary="The platform's own backup")
    @raises(DumpRefusedError)
    async def get_platform_backup(self, platform: NamedDependency[PlatformBackups]) -> PlatformBackupView:
        return await platform.get()

    @post("/dumps", status_code=202, summary="Dump the control plane's tables now", guards=[admins_operate])
    @raises(DumpRefusedError, TenantRefusedError)
    async def dump_platform(
        self, request: StaffRequest, platform: NamedDependency[PlatformBackups], data: JSONBody[BackUp]
    ) -> PlatformBackupView:
        """One that is under way, or was asked for and not begun yet, is this one. A proof follows it."""
        return await platform.back_up(data, request.user.email)
