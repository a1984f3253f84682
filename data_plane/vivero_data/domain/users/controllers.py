"""`/api/v1/me` and `/api/v1/users`."""

from typing import Any

from litestar import Controller, Request, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.status_codes import HTTP_204_NO_CONTENT
from vivero_web.declared import raises
from vivero_web.request_context import caller_of

from vivero_data.domain.auth.guards import needs, needs_person
from vivero_data.domain.users.errors import EmailTakenError, LastOwnerError
from vivero_data.domain.users.schemas import Actor, Me, NewUser, PasswordChange, Permission, User, UserChanges, UserId
from vivero_data.domain.users.service import UserService
from vivero_data.errors import PlanLimitError
from vivero_data.lib.pages import DEFAULT_LIMIT, Page, PageCursor, PageLimit


class MeController(Controller):
    """The caller."""

    path = "/me"
    tags = ("Users",)

    @get()
    async def get_me(self, actor: NamedDependency[Actor], users: NamedDependency[UserService]) -> Me:
        """Who I am, and where."""
        return await users.me(actor)

    @put("/password", status_code=HTTP_204_NO_CONTENT, guards=[needs_person])
    async def change_password(
        self,
        request: Request[Any, Any, Any],
        actor: NamedDependency[Actor],
        users: NamedDependency[UserService],
        data: JSONBody[PasswordChange],
    ) -> None:
        """Set my password; my other sessions end."""
        await users.change_password(actor, data, caller_of(request.scope))


class UserController(Controller):
    """The accounts of the workspace, for admins and owners."""

    path = "/users"
    tags = ("Users",)

    @get(guards=[needs(Permission.MANAGE_USERS)])
    async def list_users(
        self,
        actor: NamedDependency[Actor],
        users: NamedDependency[UserService],
        limit: PageLimit = DEFAULT_LIMIT,
        cursor: PageCursor = None,
    ) -> Page[User]:
        """A page of accounts."""
        return await users.list(actor, limit, cursor)

    @post(guards=[needs(Permission.MANAGE_USERS)])
    @raises(EmailTakenError, PlanLimitError)
    async def create_user(
        self, actor: NamedDependency[Actor], users: NamedDependency[UserService], data: JSONBody[NewUser]
    ) -> User:
        """Add an account; counts against the plan."""
        return await users.create(actor, data)

    @get("/{user_id:int}", guards=[needs(Permission.MANAGE_USERS)])
    async def get_user(
        self, actor: NamedDependency[Actor], users: NamedDependency[UserService], user_id: UserId
    ) -> User:
        """One account."""
        return await users.get(actor, user_id)

    @patch("/{user_id:int}", guards=[needs(Permission.MANAGE_USERS)])
    @raises(LastOwnerError, PlanLimitError)
    async def change_user(
        self,
        actor: NamedDependency[Actor],
        users: NamedDependency[UserService],
        user_id: UserId,
        data: JSONBody[UserChanges],
    ) -> User:
        """Rename, give another role, deactivate or activate."""
        return await users.change(actor, user_id, data)
