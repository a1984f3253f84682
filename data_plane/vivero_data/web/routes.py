"""All pages, for the composition in `app.py`."""

from typing import Final

from litestar import Router
from litestar.di import Provide
from litestar.types import ControllerRouterHandler
from vivero_ui.static import static_router

from vivero_data.web.controllers import (
    account,
    api_keys,
    audit,
    collections,
    dashboards,
    favourites,
    files,
    home,
    imports,
    jobs,
    login,
    palette,
    records,
    recovery,
    reports,
    security,
    settings,
    users,
    views,
)
from vivero_data.web.page import provide_collection, provide_shown_collections, provide_visit

_PAGES: Final = (
    home.home,
    home.hide_first_steps,
    home.usage_page,
    collections.collection_list,
    palette.palette,
    collections.new_collection,
    collections.create_collection,
    collections.collection_fields,
    collections.delete_collection,
    favourites.choose_favourite,
    records.record_list,
    records.record_rows,
    *views.VIEW_PAGES,
    records.choose_columns,
    records.new_record,
    records.create_record,
    records.record_page,
    records.save_record,
    records.confirm_delete_record,
    records.delete_record,
    records.export_records,
    jobs.job_page,
    reports.report_list,
    reports.new_report,
    reports.preview_report,
    reports.create_report,
    reports.report_page,
    reports.edit_report,
    reports.save_report,
    reports.delete_report,
    imports.import_list,
    imports.new_import,
    imports.import_page,
    imports.start_import,
    imports.undo_import,
    imports.import_errors,
    dashboards.dashboard_list,
    dashboards.create_dashboard,
    dashboards.dashboard_page,
    dashboards.dashboard_tile,
    dashboards.edit_dashboard,
    dashboards.save_dashboard,
    dashboards.delete_dashboard,
    dashboards.put_on_home_page,
    files.file_list,
    files.download_file,
    files.confirm_delete_file,
    files.delete_file,
    users.user_list,
    users.new_user,
    users.create_user,
    users.user_page,
    users.change_user,
    users.change_invitation,
    audit.audit_log,
    settings.settings_page,
    settings.change_settings,
    account.account,
    account.change_password,
    security.security_page,
    security.end_other_sessions,
    security.end_session,
    api_keys.key_list,
    api_keys.new_key,
    api_keys.create_key,
    api_keys.key_page,
    api_keys.rename_key,
    api_keys.rotate_key,
    api_keys.revoke_key,
)
_LOGIN_PAGES: Final = (
    login.login_page,
    login.login,
    login.ticket_page,
    login.login_by_ticket,
    login.logout,
    recovery.forgotten_page,
    recovery.forgotten,
    recovery.choose_page,
    recovery.choose,
)


def route_handlers(upload_bytes: int) -> list[ControllerRouterHandler]:
    """Every page; `upload_bytes` is the largest form with a file."""
    upload = Router("/", route_handlers=[files.upload_file, imports.upload_import], request_max_body_size=upload_bytes)
    return [
        Router(
            "/",
            route_handlers=[*_PAGES, upload],
            dependencies={
                "shown_collections": Provide(provide_shown_collections),
                "visit": Provide(provide_visit),
                "collection": Provide(provide_collection),
            },
            include_in_schema=False,
        ),
        Router("/", route_handlers=list(_LOGIN_PAGES), include_in_schema=False),
        static_router(),
    ]
