"""The stand-in of the payment provider, and the adapter that speaks to it."""

import ssl
from collections.abc import AsyncIterator, Iterator

import pytest
from support.payments import Payments, payments
from vivero_control.domain.billing.stripe import Stripe


@pytest.fixture
def standin() -> Iterator[Payments]:
    with payments() as made:
        yield made


@pytest.fixture
async def adapter(standin: Payments) -> AsyncIterator[Stripe]:
    async with Stripe(standin.settings, ssl.create_default_context()) as made:
        yield made
