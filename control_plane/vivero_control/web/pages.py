"""The web layer as app.py mounts it."""

from pathlib import Path
from typing import Final

from litestar import Router
from litestar.di import Provide
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.template import TemplateConfig
from vivero_ui.static import static_router
from vivero_ui.templates import environment
from vivero_web.clock import Clock, now
from vivero_web.security import same_origin_only

from vivero_control.services import Pages
from vivero_control.web.account import AccountController
from vivero_control.web.account_backups import AccountBackupsController
from vivero_control.web.account_change import PlanChangeController
from vivero_control.web.account_data import AccountDataController
from vivero_control.web.account_domains import AccountDomainsController
from vivero_control.web.account_pause import PauseController
from vivero_control.web.account_people import AccountPeopleController, AccountWorkspacesController
from vivero_control.web.account_plan import PlanPageController
from vivero_control.web.account_settings import AccountSettingsController
from vivero_control.web.account_support import AccountSupportController
from vivero_control.web.account_tax_ids import AccountTaxIdsController
from vivero_control.web.acquisition import AcquisitionController
from vivero_control.web.audit import AuditController
from vivero_control.web.backups import BackupsController, TenantBackupsController
from vivero_control.web.billing import BillingController
from vivero_control.web.bulk import BulkController
from vivero_control.web.bulk_runs import BulkRunsController
from vivero_control.web.company import CompanyController
from vivero_control.web.confirm import ConfirmController
from vivero_control.web.contracts import ContractsController
from vivero_control.web.dead_letters import DeadLettersController
from vivero_control.web.deleted import DeletedController
from vivero_control.web.error_pages import error_page, host_error, host_page
from vivero_control.web.figures import FiguresController
from vivero_control.web.invoices import InvoicesController
from vivero_control.web.leads import LeadsController
from vivero_control.web.monitoring import OperationsController
from vivero_control.web.overview import OverviewController
from vivero_control.web.platform import PlatformController
from vivero_control.web.presentation import host_of, web_url
from vivero_control.web.quote_page import QuotePageController
from vivero_control.web.quotes import QuotesController
from vivero_control.web.saved_views import SavedViewsController
from vivero_control.web.signup import SignupController
from vivero_control.web.site import SiteController
from vivero_control.web.staff_keys import StaffKeysController
from vivero_control.web.staff_login import RecoveryController, StaffLoginController
from vivero_control.web.staff_members import StaffMembersController
from vivero_control.web.staff_security import StaffSecurityController
from vivero_control.web.staff_status import StaffStatusController
from vivero_control.web.status import StatusPageController
from vivero_control.web.tenant_margin import TenantMarginController
from vivero_control.web.tenant_support import TenantSupportController
from vivero_control.web.tenant_timeline import TenantTimelineController
from vivero_control.web.tenants import TenantsController
from vivero_control.web.webhooks import WebhooksController
from vivero_control.web.workspace_login import WorkspaceLoginController

TEMPLATES: Final = Path(__file__).parent / "templates"


def pages(clock: Clock = now) -> Pages:
    """Routes whose forms are accepted from our own pages only, the built files, templates, pages for errors and hosts."""
    guarded = Router(
        "/",
        route_handlers=[
            SiteController,
            CompanyController,
            StatusPageController,
            WorkspaceLoginController,
            SignupController,
            ConfirmController,
            QuotePageController,
            AccountController,
            PlanPageController,
            PlanChangeController,
            PauseController,
            AccountTaxIdsController,
            AccountBackupsController,
            AccountDataController,
            AccountPeopleController,
            AccountWorkspacesController,
            AccountSettingsController,
            AccountDomainsController,
            AccountSupportController,
            StaffLoginController,
            RecoveryController,
            TenantsController,
            TenantSupportController,
            TenantTimelineController,
            TenantMarginController,
            BulkController,
            BulkRunsController,
            SavedViewsController,
            TenantBackupsController,
            BackupsController,
            DeletedController,
            OverviewController,
            OperationsController,
            DeadLettersController,
            AuditController,
            BillingController,
            ContractsController,
            QuotesController,
            InvoicesController,
            FiguresController,
            AcquisitionController,
            LeadsController,
            PlatformController,
            StaffStatusController,
            WebhooksController,
            StaffMembersController,
            StaffSecurityController,
            StaffKeysController,
        ],
        guards=[same_origin_only],
        dependencies={"clock": Provide(lambda: clock, sync_to_thread=False, use_cache=True)},
    )
    return Pages(
        route_handlers=(guarded, static_router()),
        error_page=error_page,
        host_page=host_page,
        host_error=host_error,
        template_config=_template_config(),
    )


def _template_config() -> TemplateConfig[JinjaTemplateEngine]:
    made = environment([TEMPLATES])
    made.filters.update({"host": host_of, "web_url": web_url})
    return TemplateConfig(instance=JinjaTemplateEngine.from_environment(made))
