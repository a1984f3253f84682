"""SQL of the costs of channels."""

from collections.abc import Collection
from datetime import date

from sqlalchemy import delete, select, tuple_
from sqlalchemy.dialects.mysql import insert

from vivero_control.db.database import Repository
from vivero_control.db.tables import ChannelCost as Row
from vivero_control.domain.acquisition.policies import Key, key_of
from vivero_control.domain.acquisition.schemas import ChannelCost


class ChannelCostRepository(Repository[Row]):
    """One amount for each month, channel and currency."""

    model_type = Row

    async def since(self, month: date) -> list[ChannelCost]:
        rows = await self.session.scalars(select(Row).where(Row.month >= month).order_by(Row.month, Row.channel))
        return [
            ChannelCost(month=row.month, channel=row.channel, cents=row.cents, currency=row.currency) for row in rows
        ]

    async def known(self, keys: Collection[Key]) -> dict[Key, int]:
        """Cents of those that there are, locked until the transaction ends."""
        about = tuple_(Row.month, Row.channel, Row.currency).in_(sorted(keys))
        rows = await self.session.scalars(select(Row).where(about).with_for_update())
        return {(row.month, row.channel, row.currency): row.cents for row in rows}

    async def put(self, costs: Collection[ChannelCost]) -> None:
        """In one order, so that two tables at once wait for each other instead of deadlocking."""
        said = sorted((one for one in costs if one.cents), key=key_of)
        gone = sorted(key_of(one) for one in costs if not one.cents)
        if said:
            values = [
                {"month": one.month, "channel": one.channel, "currency": one.currency, "cents": one.cents}
                for one in said
            ]
            fresh = insert(Row)
            await self.session.execute(fresh.on_duplicate_key_update(cents=fresh.inserted.cents), values)
        if gone:
            about = tuple_(Row.month, Row.channel, Row.currency).in_(gone)
            await self.session.execute(delete(Row).where(about))
