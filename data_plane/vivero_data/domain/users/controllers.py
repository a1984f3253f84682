"""`/api/v1/me` and `/api/v1/users`."""

from typing import Annotated

from litestar import Controller, get, patch, post, put
from litestar.params import QueryParameter
from litestar.status_codes import HTTP_204_NO_CONTENT

from vivero_data.domain.users.schemas import Actor, Me, NewUser, PasswordChange, User, UserChanges
from vivero_data.domain.users.service import UserService
from vivero_data.lib.pages import DEFAULT_LIMIT, MAX_LIMIT, Page

Limit = Annotated[int, QueryParameter(ge=1, le=MAX_LIMIT)]


class MeController(Controller):
    """The caller."""

    path = "/me"
    tags = ("Users",)

    @get()
    async def me(self, actor: Actor, users: UserService) -> Me:
        """Who I am, and where."""
        return await users.me(actor)

    @put("/password", status_code=HTTP_204_NO_CONTENT)
    async def change_password(self, actor: Actor, users: UserService, data: PasswordChange) -> None:
        """Set my password; my other sessions end."""
        await users.change_password(actor, data)


class UserController(Controller):
    """The accounts of the workspace, for admins and owners."""

    path = "/users"
    tags = ("Users",)

    @get()
    async def list_users(
        self, actor: Actor, users: UserService, limit: Limit = DEFAULT_LIMIT, cursor: str | None = None
    ) -> Page[User]:
        """A page of accounts."""
        return await users.list(actor, limit, cursor)

    @post()
    async def create_user(self, actor: Actor, users: UserService, data: NewUser) -> User:
        """Add an account; counts against the plan."""
        return await users.create(actor, data)

    @get("/{user_id:int}")
    async def get_user(self, actor: Actor, users: UserService, user_id: int) -> User:
        """One account."""
        return await users.get(actor, user_id)

    @patch("/{user_id:int}")
    async def change_user(self, actor: Actor, users: UserService, user_id: int, data: UserChanges) -> User:
        """Rename, give another role, deactivate or activate."""
        return await users.change(actor, user_id, data)
