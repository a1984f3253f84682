"""What every repository of SQL starts from."""

from typing import TypeVar

from advanced_alchemy.base import ModelProtocol
from advanced_alchemy.repository import SQLAlchemyAsyncRepository
from sqlalchemy.ext.asyncio import AsyncSession

RowT = TypeVar("RowT", bound=ModelProtocol)


class Repository(SQLAlchemyAsyncRepository[RowT]):
    """Advanced Alchemy's repository, within a transaction that its caller began.

    It raises SQLAlchemy's own errors: Advanced Alchemy's call an unreachable
    server an integrity error. What was added is not read again: nothing in
    the tables is filled in by the server but ids, which the insert returns.
    """

    def __init__(self, session: AsyncSession) -> None:
        super().__init__(session=session, wrap_exceptions=False, auto_refresh=False)
