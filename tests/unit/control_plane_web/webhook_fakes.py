"""Webhooks of tenants in memory."""

from collections.abc import Sequence
from datetime import timedelta

from msgspec import structs
from vivero_control.domain.webhooks import policies
from vivero_control.domain.webhooks.schemas import (
    Attempt,
    AttemptPage,
    CreatedEndpoint,
    Endpoint,
    EndpointChanges,
    EndpointList,
    EndpointNotFoundError,
    EventType,
    MessageNotFoundError,
    NewEndpoint,
    SwitchedOffError,
    TooManyEndpointsError,
)
from vivero_control.domain.webhooks.service import WebhookService
from vivero_web import clock
from vivero_web.errors import InvalidInputError

SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


def endpoint(number: int, url: str, **changes: object) -> Endpoint:
    made = Endpoint(
        id=number,
        url=url,
        events=tuple(EventType),
        active=True,
        made_by="ada@vivero.example",
        made_at=clock.now() - timedelta(days=12),
    )
    return structs.replace(made, **changes)


def endpoints() -> Sequence[Endpoint]:
    """One of each state, the longest words among them."""
    now = clock.now()
    return (
        endpoint(1, "https://hooks.example.com/vivero"),
        endpoint(
            2,
            f"https://{'a' * 40}.example.com/{'very-long-path/' * 12}?tenant=all",
            events=(EventType.PAID, EventType.PAYMENT_FAILED),
            failing_since=now - timedelta(hours=7),
            old_secret_until=now + timedelta(hours=9),
            made_by="grace.with-a-long-name.and-a-longer-one@customer-success.vivero.example",
        ),
        endpoint(3, "https://old.example.com/in", active=False, failing_since=now - timedelta(days=3)),
    )


def attempts() -> Sequence[Attempt]:
    """More than a page."""
    now, kinds = clock.now(), tuple(EventType)
    return tuple(
        Attempt(
            id=number,
            at=now - timedelta(minutes=40 - number),
            message=f"msg_{number:032x}",
            event=kinds[number % len(kinds)],
            tenant="acme" if number % 3 else f"acme-{'longest-name-' * 4}x",
            number=1 + number % 4,
            status=None if number % 5 == 0 else 500 if number % 4 == 0 else 204,
            problem="No answer (ConnectTimeoutError)."
            if number % 5 == 0
            else "It answered 500."
            if number % 4 == 0
            else "",
            answer="<script>alert(1)</script> Internal error. 内部エラー" if number % 4 == 0 else "",
        )
        for number in range(40, 0, -1)
    )


class FakeWebhooks(WebhookService):
    """Keeps what was ordered, and by whom."""

    def __init__(self, known: Sequence[Endpoint] | None = None, *, full: bool = False) -> None:
        self.known = {one.id: one for one in (endpoints() if known is None else known)}
        self.full = full
        self.orders: list[tuple[str, int, str]] = []

    async def all(self) -> EndpointList:
        return EndpointList(items=tuple(self.known.values()))

    async def get(self, number: int) -> Endpoint:
        if number not in self.known:
            raise EndpointNotFoundError
        return self.known[number]

    async def make(self, new: NewEndpoint, actor: str) -> CreatedEndpoint:
        _check(new.url)
        if self.full:
            raise TooManyEndpointsError
        number = max(self.known, default=0) + 1
        self.known[number] = endpoint(number, new.url, events=new.events, made_by=actor)
        return self._once("make", number, actor)

    async def change(self, number: int, changes: EndpointChanges, actor: str) -> Endpoint:
        _check(changes.url)
        given = {name: value for name, value in structs.asdict(changes).items() if value is not None}
        self.known[number] = structs.replace(await self.get(number), **given)
        self.orders.append(("change", number, actor))
        return self.known[number]

    async def rotate(self, number: int, actor: str) -> CreatedEndpoint:
        await self.get(number)
        return self._once("rotate", number, actor)

    async def delete(self, number: int, actor: str) -> None:
        await self.get(number)
        del self.known[number]
        self.orders.append(("delete", number, actor))

    async def attempts(self, number: int, cursor: str, limit: int) -> AttemptPage:
        await self.get(number)
        found = [one for one in attempts() if number != 1 and (not cursor or one.id < int(cursor))]
        return AttemptPage(
            items=tuple(found[:limit]), next_cursor=str(found[limit - 1].id) if len(found) > limit else None
        )

    async def resend(self, number: int, message: str, actor: str) -> None:
        if message not in {one.message for one in attempts()}:
            raise MessageNotFoundError
        if not (await self.get(number)).active:
            raise SwitchedOffError
        self.orders.append(("resend", number, actor))

    def _once(self, what: str, number: int, actor: str) -> CreatedEndpoint:
        self.orders.append((what, number, actor))
        return CreatedEndpoint(**structs.asdict(self.known[number]), secret=SECRET)


def _check(url: str | None) -> None:
    if found := policies.problems(url):
        raise InvalidInputError.of_all(found)
