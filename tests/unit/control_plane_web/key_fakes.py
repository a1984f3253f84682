"""API keys of staff in memory."""

from collections.abc import Sequence
from datetime import timedelta

from msgspec import structs
from vivero_control.domain.api_keys.schemas import (
    MARK,
    CreatedStaffApiKey,
    NewStaffApiKey,
    StaffApiKey,
    StaffApiKeyList,
)
from vivero_control.domain.api_keys.service import StaffApiKeys
from vivero_control.domain.staff.schemas import Scope, StaffView
from vivero_web import clock
from vivero_web.api_keys import ApiKeyChanges, KeyNotFoundError, Rotation, TooManyKeysError, key_name_problem
from vivero_web.errors import InvalidInputError
from vivero_web.text import tidy

TOKEN = f"{MARK}a1b2c3d4_Zq7mVx0KfJt3sPw9LhYe2RbNcUg5DoA8xT1yQz"


def key(number: int, name: str, **changes: object) -> StaffApiKey:
    now = clock.now()
    made = StaffApiKey(
        id=number,
        name=name,
        prefix=f"{MARK}a1b2c3d{number}",
        scopes=[Scope.READ],
        created_at=now - timedelta(days=12),
        expires_at=now + timedelta(days=78),
        valid_days=90,
    )
    return structs.replace(made, **changes)


def keys() -> Sequence[StaffApiKey]:
    """One of each state, the longest words among them."""
    now = clock.now()
    return (
        key(3, "Terraform", scopes=list(Scope), last_used_at=now - timedelta(minutes=4)),
        key(
            2,
            "Nächtlicher Bericht der Donaudampfschifffahrtsgesellschaft 株式会社ビベロ שתילים",
            scopes=[Scope.READ, Scope.MANAGE_LEADS],
            previous_until=now + timedelta(hours=20),
            last_used_at=now - timedelta(days=1),
        ),
        key(1, "Old import", expires_at=now - timedelta(days=2)),
    )


class FakeStaffApiKeys(StaffApiKeys):
    """What one member has; `full` of them already."""

    def __init__(self, some: Sequence[StaffApiKey] = (), *, full: bool = False) -> None:
        self.keys = {one.id: one for one in some or keys()}
        self.full = full

    async def all(self, member: StaffView) -> StaffApiKeyList:
        del member
        return StaffApiKeyList(items=tuple(self.keys.values()))

    async def get(self, number: int, member: StaffView) -> StaffApiKey:
        del member
        if number not in self.keys:
            raise KeyNotFoundError
        return self.keys[number]

    async def make(self, new: NewStaffApiKey, member: StaffView) -> CreatedStaffApiKey:
        del member
        if self.full:
            raise TooManyKeysError
        if problem := key_name_problem(tidy(new.name)):
            raise InvalidInputError.of("name", problem)
        made = key(9, new.name, scopes=[Scope.READ, *new.scopes], valid_days=new.valid_days)
        self.keys[made.id] = made
        return CreatedStaffApiKey(**structs.asdict(made), token=TOKEN)

    async def change(self, number: int, changes: ApiKeyChanges, member: StaffView) -> StaffApiKey:
        if problem := key_name_problem(tidy(changes.name or "")):
            raise InvalidInputError.of("name", problem)
        self.keys[number] = structs.replace(await self.get(number, member), name=changes.name)
        return self.keys[number]

    async def rotate(self, number: int, rotation: Rotation, member: StaffView) -> CreatedStaffApiKey:
        until = clock.now() + rotation.overlap
        self.keys[number] = structs.replace(await self.get(number, member), previous_until=until)
        return CreatedStaffApiKey(**structs.asdict(self.keys[number]), token=TOKEN)

    async def revoke(self, number: int, member: StaffView) -> None:
        await self.get(number, member)
        del self.keys[number]
