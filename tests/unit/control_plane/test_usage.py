"""What a workspace says of its usage: asked with a token that it takes for nothing else, and shown only if understood."""

from datetime import UTC, datetime

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from unit.control_plane.builders import tenant
from unit.control_plane_web.fakes import PLANS
from vivero_control.domain.accounts.usage import PATH, Meter, Usage, WorkspaceUsage
from vivero_control.domain.plans.service import PlanLimits
from vivero_control.domain.signups.access import LoginTickets
from vivero_control.web.account_lines import meters, requests_per_minute, too_much
from vivero_data.domain.usage import service as workspace_usage
from vivero_data.lib.tokens import read_ticket
from vivero_web.errors import NotSignedInError

KEY = Ed25519PrivateKey.generate()
TICKETS = LoginTickets(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
COUNTS = st.integers(0, 2**40)
METERS = st.builds(Meter, COUNTS, COUNTS | st.none())
USAGES = st.builds(Usage, METERS, METERS, METERS)


class Workspace:
    """Answers what it is told to, and keeps how it was asked."""

    def __init__(self, answer: bytes | None) -> None:
        self.answer = answer
        self.asked: list[tuple[str, str, str]] = []

    async def ask(self, slug: str, path: str, bearer: str) -> bytes | None:
        self.asked.append((slug, path, bearer))
        return self.answer

    def usage(self) -> WorkspaceUsage:
        return WorkspaceUsage(self.ask, TICKETS, lambda: datetime.now(UTC))


async def test_a_workspace_is_asked_with_a_token_that_opens_nothing_else() -> None:
    acme = tenant()
    said = workspace_usage.Usage(
        "trial", workspace_usage.Meter(7, 10), workspace_usage.Meter(2, None), workspace_usage.Meter(0, 5)
    )
    workspace = Workspace(msgspec.json.encode(said))
    assert await workspace.usage().read(acme) == Usage(Meter(7, 10), Meter(2, None), Meter(0, 5))
    ((slug, path, bearer),) = workspace.asked
    assert (slug, path) == ("acme", PATH)
    assert read_ticket(bearer, PUBLIC, f"{acme.id}/usage")
    for audience in (acme.id, "otherworld", "otherworld/usage", f"{acme.id}/other"):
        with pytest.raises(NotSignedInError):
            read_ticket(bearer, PUBLIC, audience)


@pytest.mark.parametrize(
    "answer",
    [None, b"", b"{}", b"null", b"<html>", b'{"records": {"used": -1, "limit": null}}', b"\xff", b'{"records": 1}'],
)
async def test_an_answer_that_is_none_is_not_known(answer: bytes | None) -> None:
    assert await Workspace(answer).usage().read(tenant()) is None


async def test_a_closed_workspace_is_not_asked() -> None:
    workspace = Workspace(b"{}")
    assert await workspace.usage().read(tenant(suspended={"reason": "Unpaid", "message": ""})) is None
    assert workspace.asked == []


@given(USAGES, st.builds(PlanLimits, records=COUNTS, users=COUNTS, storage_bytes=COUNTS, requests_per_minute=COUNTS))
def test_what_is_more_than_a_plan_has_room_for_is_named(usage: Usage, limits: PlanLimits) -> None:
    used = (usage.records.used, usage.users.used, usage.storage_bytes.used)
    allowed = (limits.records, limits.users, limits.storage_bytes)
    over = [
        name for name, one, most in zip(("Records", "Users", "Files"), used, allowed, strict=True) if one > (most or 0)
    ]
    assert [one.partition(":")[0] for one in too_much(usage, limits)] == over
    assert [one.used for one in meters(usage)] == list(used)


def test_what_is_not_known_is_not_said() -> None:
    assert (meters(None), too_much(None, PLANS[0].limits)) == ([], [])
    assert requests_per_minute(tenant(plan="starter"), PLANS) == 600
    assert requests_per_minute(tenant(plan="starter"), ()) is None
