"""The services of the control plane in one place: what controllers and pages call.

A controller or page asks for one by its parameter's name; app.py registers each
field of `Services` as a dependency, so a handler just says

    @get("/signup/{signup_id:str}")
    async def progress(signups: SignupService, signup_id: str) -> Template: ...

Every method is one unit of work with its own transaction, raises the errors of
`vivero_control.errors` (status, title, detail, errors by field), and returns
the frozen structs of its domain's `schemas.py`.

| parameter | for | the calls |
| --- | --- | --- |
| `signups: SignupService` | signup page, progress page | `start(StartSignup, idempotency_key=…) -> SignupView`; `get(id) -> SignupView`; `events(id) -> AsyncIterator[SignupView]`. The event stream itself is the API's: `/api/v1/signups/{id}/events` (events `step` and last `done`; data: the SignupView as JSON) |
| `plans: PlanService` | pricing, plan choice | `all() -> tuple[PlanView, ...]`, cheapest first; `find(name) -> PlanView` |
| `staff: StaffService` | login page | `login(Login, address) -> StaffView`; then `sessions.open(staff_id) -> cookie value` |
| `sessions: StaffSessions` | pages behind the login | `open`, `read`, `close`; the cookie is `SESSION_COOKIE` |
| `tenants: TenantService` | tenants page | `search(TenantQuery) -> Page[TenantRow]`, `get(name) -> TenantDetail`, `suspend/resume/extend_trial/change_plan(name, order, actor) -> TenantDetail` |
| `hosts: HostService` | page at a workspace's host | `status(host) -> HostStatus` |
| `audit: AuditService` | history on the tenant's page | `history(subject) -> tuple[AuditEntry, ...]` |
"""
