import pytest
from litestar.testing import RequestFactory
from vivero_data.domain.auth.guards import refuse_cross_site
from vivero_data.domain.users.schemas import Actor, Permission, Role, require_may_assign, require_permission
from vivero_data.web.page import Can
from vivero_web.errors import CrossSiteError, NotAllowedError

OWNER, ADMIN, MEMBER, VIEWER, NOTHING = (Actor(1, "a@example.com", "", role) for role in Role)


# Written once more by hand, as a customer would tell it: whom each of these is open to.
OPEN_TO = {
    Permission.READ: {OWNER, ADMIN, MEMBER, VIEWER},
    Permission.READ_FILES: {OWNER, ADMIN, MEMBER, VIEWER},
    Permission.READ_USAGE: {OWNER, ADMIN, MEMBER, VIEWER},
    Permission.WRITE_RECORDS: {OWNER, ADMIN, MEMBER},
    Permission.WRITE_FILES: {OWNER, ADMIN, MEMBER},
    Permission.MANAGE_COLLECTIONS: {OWNER, ADMIN},
    Permission.MANAGE_WORKSPACE: {OWNER, ADMIN},
    Permission.MANAGE_USERS: {OWNER, ADMIN},
    Permission.READ_AUDIT_LOG: {OWNER, ADMIN},
    Permission.MANAGE_ADMINS: {OWNER},
    Permission.CHANGE_PLAN: {OWNER},
    Permission.EXPORT_WORKSPACE: {OWNER},
}


@pytest.mark.parametrize("actor", [OWNER, ADMIN, MEMBER, VIEWER, NOTHING], ids=lambda actor: actor.role)
@pytest.mark.parametrize("permission", Permission)
def test_a_role_has_its_permissions_and_no_other(actor: Actor, permission: Permission) -> None:
    can = Can(actor.role.permissions)
    assert getattr(can, permission) is actor.may(permission) is (actor in OPEN_TO[permission])
    if actor in OPEN_TO[permission]:
        require_permission(actor, permission)
    else:
        with pytest.raises(NotAllowedError, match="owner.*; yours is " + actor.role):
            require_permission(actor, permission)


def test_a_template_that_asks_for_a_permission_there_is_not_is_found_out() -> None:
    with pytest.raises(AttributeError):
        _ = Can(OWNER.role.permissions).manage_everything


@pytest.mark.parametrize(
    ("actor", "current", "wanted", "allowed"),
    [
        (OWNER, None, Role.OWNER, True),
        (OWNER, Role.OWNER, Role.VIEWER, True),
        (ADMIN, None, Role.MEMBER, True),
        (ADMIN, Role.MEMBER, Role.VIEWER, True),
        (ADMIN, None, Role.ADMIN, False),
        (ADMIN, Role.MEMBER, Role.OWNER, False),
        (ADMIN, Role.OWNER, Role.OWNER, False),
        (ADMIN, Role.ADMIN, Role.MEMBER, False),
        (MEMBER, None, Role.VIEWER, False),
        (VIEWER, Role.VIEWER, Role.VIEWER, False),
    ],
)
def test_nobody_raises_above_themselves(actor: Actor, current: Role | None, wanted: Role, allowed: bool) -> None:  # noqa: FBT001  a parameter of the table
    if allowed:
        require_may_assign(actor, current, wanted)
    else:
        with pytest.raises(NotAllowedError):
            require_may_assign(actor, current, wanted)


COOKIE = {"cookie": "__Host-session=x"}


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"authorization": "Bearer x", "sec-fetch-site": "cross-site"}, True),
        ({**COOKIE, "sec-fetch-site": "same-origin"}, True),
        ({**COOKIE, "sec-fetch-site": "none"}, False),
        ({**COOKIE, "sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({**COOKIE, "origin": "https://acme.example.com:8443"}, True),
        ({**COOKIE, "origin": "http://acme.example.com:8443"}, False),
        ({**COOKIE, "origin": "https://evil.example.com"}, False),
        ({**COOKIE, "origin": "null"}, False),
        ({"origin": "https://evil.example.com"}, False),
        (COOKIE, False),
        ({"cookie": "__Host-refresh=x"}, False),
    ],
)
async def test_writes_come_from_our_own_pages(headers: dict[str, str], allowed: bool) -> None:  # noqa: FBT001  a parameter of the table
    request = RequestFactory().post("/login", headers={"host": "acme.example.com:8443", **headers})
    if allowed:
        await refuse_cross_site(request)
    else:
        with pytest.raises(CrossSiteError):
            await refuse_cross_site(request)


async def test_reading_is_always_fine() -> None:
    await refuse_cross_site(RequestFactory().get("/", headers={**COOKIE, "sec-fetch-site": "cross-site"}))
