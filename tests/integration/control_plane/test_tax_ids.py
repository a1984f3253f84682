"""Tax ids of a customer on the real database and the stand-in: the provider says what is one, and each change is audited."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from integration.control_plane.support import DOMAIN, Names, make_workspace
from support.payments import Payments
from vivero_control import composition
from vivero_control.domain.billing.errors import NothingBoughtError
from vivero_control.domain.billing.schemas import Interval
from vivero_control.domain.billing.tax_ids import MOST
from vivero_core.backends.kube.client import KubeClient
from vivero_web.errors import ConflictError, InvalidInputError

Ask = Callable[..., list[tuple[Any, ...]]]
WHO = "owner@example.com"


async def test_tax_ids_are_what_the_provider_takes(
    sold: composition.Infrastructure, standin: Payments, names: Names, kube: KubeClient, sql: Ask
) -> None:
    services = composition.services(sold)
    tax_ids = services.tax_ids
    workspace = await make_workspace(kube, names.new(), datetime.now(UTC) + timedelta(days=9))
    with pytest.raises(NothingBoughtError):
        await tax_ids.all(workspace)
    page = await services.billing.checkout(workspace, "starter", Interval.MONTH, f"https://{DOMAIN}:8443/account")
    await asyncio.to_thread(standin.pay, page)
    for kind, typed, field in (
        ("eu_vat", "12", "value"),
        ("eu_vat", "", "value"),
        ("eu_vat", "DE" + "1" * 40, "value"),
        ("nobody", "DE123456789", "kind"),
    ):
        with pytest.raises(InvalidInputError) as refused:
            await tax_ids.add(workspace, kind, typed, WHO)
        assert refused.value.errors[0].field == field
    await tax_ids.add(workspace, "eu_vat", " de123456789 ", WHO)
    with pytest.raises(ConflictError, match="there already"):
        await tax_ids.add(workspace, "eu_vat", "DE123456789", WHO)
    (found,) = await tax_ids.all(workspace)
    assert (found.kind, found.value, found.state) == ("eu_vat", "DE123456789", "verified")
    answers = await asyncio.gather(
        *(tax_ids.add(workspace, "ch_vat", f"CHE-{number:09}", WHO) for number in range(MOST + 1)),
        return_exceptions=True,
    )
    assert answers.count(None) == MOST - 1
    with pytest.raises(InvalidInputError):
        await tax_ids.remove(workspace, "txi_of_another", WHO)
    await tax_ids.remove(workspace, found.id, WHO)
    assert found.id not in {one.id for one in await tax_ids.all(workspace)}
    done = sql("SELECT action FROM audit WHERE outcome = 'done' AND subject LIKE %s", f"%{workspace.name}")
    assert [one for (one,) in done].count("add-tax-id") == MOST
    assert [one for (one,) in done].count("remove-tax-id") == 1
