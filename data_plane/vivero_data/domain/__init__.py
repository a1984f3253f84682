"""The domain: one folder a noun, the same file names in each.

The services, which the API's controllers and the pages call alike. Each is
made once (`app.py`) and injected by Litestar under the name given here:

| dependency | class | methods |
| --- | --- | --- |
| `actor` | `users.schemas.Actor` | the signed-in user (raises NotSignedInError) |
| `auth` | `auth.service.AuthService` | `login(credentials, address) -> Tokens`, `refresh(token) -> Tokens`, `logout(token)`, `end_session(actor)` |
| `tickets` | `tickets.service.TicketService` | `redeem(ticket, address) -> Tokens` |
| `users` | `users.service.UserService` | `me(actor) -> Me`, `list(actor, limit, cursor) -> Page[User]`, `get(actor, id)`, `create(actor, NewUser) -> User`, `change(actor, id, UserChanges) -> User`, `change_password(actor, PasswordChange, address)` |
| `api_keys` | `api_keys.service.ApiKeyService` | `authenticate(token) -> Actor`, `list(actor, limit, cursor) -> Page[ApiKey]`, `get(actor, id)`, `create(actor, NewApiKey) -> CreatedApiKey`, `change(actor, id, ApiKeyChanges)`, `rotate(actor, id, Rotation) -> CreatedApiKey`, `delete(actor, id)`: the actor's own |
| `own_sessions` | `sessions.service.SessionService` | `list(actor, limit, cursor) -> Page[SessionView]`, `end(actor, id)`, `end_others(actor) -> int` |
| `second_factors` | `second_factors.service.SecondFactorService` | `get(actor)`, `begin(actor, password, address) -> Enrolment`, `confirm(actor, code) -> codes`, `renew_codes(…)`, `end(…)`, `reset(actor, user_id)`, `check(user, code)` at a login |
| `webhooks` | `webhooks.service.WebhookService` | `list(actor, limit, cursor) -> Page[Webhook]`, `get(actor, id)`, `create(actor, NewWebhook) -> CreatedWebhook`, `change(actor, id, WebhookChanges)`, `renew_secret(actor, id)`, `delete(actor, id)`, `attempts(actor, id, limit, cursor) -> Page[Attempt]` |
| `email_changes` | `email_changes.service.EmailChangeService` | `ask(actor, EmailChange, address)`, `confirm(code)` |
| `idempotency` | `idempotency.service.IdempotencyService` | `begin(request, user_id) -> Response or None`, for a POST with a key |
| `links` | `links.service.LinkService` | `available() -> bool`: whether links can be mailed |
| `recovery` | `recovery.service.RecoveryService` | `forgotten(email, address)`, `choose(ChosenPassword, address)` |
| `invitations` | `invitations.service.InvitationService` | `invite(actor, NewInvitation) -> User`, `repeat(actor, id) -> User`, `withdraw(actor, id)` |
| `collections` | `collections.service.CollectionService` | `list(actor) -> list[Collection]`, `get(actor, name) -> Collection`, `create(actor, NewCollection) -> Collection`, `delete(actor, name)` |
| `records` | `records.service.RecordService` | `list(actor, collection, RecordQuery) -> Page[Record]`, `get(actor, collection, id)`, `create(actor, collection, values) -> Record`, `update(actor, collection, id, RecordChanges) -> Record`, `delete(actor, collection, id, version=None)`; `collection` is its name |
| `record_batches` | `records.batches.BatchService` | `write(actor, collection, RecordBatch) -> WrittenBatch`: many records, all or none |
| `bulk` | `records.selections.BulkService` | `start(actor, collection, Bulk) -> Done`: one change of many records, undone by its entry of the trash |
| `comments` | `comments.service.CommentService` | `list(actor, collection, record_id, limit, cursor) -> Page[Comment]`, `create(actor, collection, record_id, text)`, `change(…, comment_id, text)`, `delete(…, comment_id)` |
| `views` | `views.service.ViewService` | `list(actor, collection, limit, cursor) -> Page[View]`, `get(actor, collection, id)`, `named(actor, collection, name)`, `create(actor, collection, NewView)`, `change(actor, collection, id, ViewChanges)`, `delete(actor, collection, id)`; `through(view, RecordQuery)` for a list |
| `files` | `files.service.FileService` | `list(actor, limit, cursor) -> Page[StoredFile]`, `get(actor, id) -> StoredFile`, `upload(actor, UploadFile) -> StoredFile` (`uploads.receive` reads the form), `store(actor, name, media_type, size, read, stored) -> StoredFile`, `open(actor, id) -> (StoredFile, AsyncIterator[bytes])`, `delete(actor, id)` |
| `jobs` | `jobs.service.JobService` | `start(actor, permission, Task) -> Job`, `list(actor, limit, cursor) -> Page[Job]`, `get(actor, id) -> Job` |
| `reports` | `reports.service.ReportService` | `list(actor, limit, cursor) -> Page[Report]`, `get(actor, id) -> Report`, `some(actor, ids)`, `data(actor, id) -> (Report, ReportData)`, `preview(actor, collection, Definition) -> ReportData`, `create(actor, NewReport)`, `update(actor, id, ReportChanges)`, `delete(actor, id)` |
| `dashboards` | `dashboards.service.DashboardService` | `list`, `get`, `home(actor) -> Dashboard or None`, `create(actor, NewDashboard)`, `update(actor, id, DashboardChanges)`, `delete(actor, id)` |
| `samples` | `samples.service.SampleService` | `list(actor) -> list[Sample]`, `start(actor, template) -> Sample`, `remove(actor, id)` |
| `audit` | `audit.service.AuditService` | `list(actor, AuditQuery) -> Page[AuditEntry]` |
| `usage` | `usage.service.UsageService` | `get(actor) -> Usage` |
| `identity` | `identity.service.IdentityService` | `current() -> Identity` to show, `stored()` as the database has it, `invalidate()` after a change |
| `workspace` | `workspace.service.WorkspaceService` | `configure(WorkspaceSettings) -> WorkspaceState`, the operator's call |
| `references` | `records.linking.ReferenceService` | `records(actor, collection, words) -> Page[Linked]`, `people(actor, words) -> Page[Linked]`, `related(actor, collection, id) -> list[Related]` |
| `person_notation` | `notation.person.PersonNotationService` | `effective(actor) -> Notation`, `get(actor) -> PersonNotation`, `change(actor, PersonNotationChanges) -> PersonNotation` |
| `notation` | `notation.service.NotationService` | `current() -> Notation`, `get(actor) -> WorkspaceSettings`, `change(actor, SettingsChanges) -> WorkspaceSettings` |
| `settings` | `settings.Settings` | what the environment and the mounted files say |

Errors are those of `vivero_web.errors` and `vivero_data.errors`; `InvalidInputError.errors` names the fields.

Pages: `vivero_data.web` exports `route_handlers(upload_bytes)` (a list) and
`render_error(request, problem) -> Response` (problem: `vivero_web.problem.Problem`); browsers outside /api and /internal get the latter.
Cookies: `lib.cookies.session_cookies(tokens) -> list[Cookie]` after login or
ticket, `lib.cookies.expired_cookies()` after logout; reading, checking and
rotating them is done in `domain/auth/guards.py`, as is refusing cross-site
writes. `NotSignedInError` from `actor` makes a page redirect to /login.
"""
