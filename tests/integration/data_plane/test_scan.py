"""A workspace through a scanner, as nobody and as its owner: it finds nothing."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from integration.conftest import Login
from integration.control_plane.support import running
from integration.data_plane.workspace import NAME, OWNER, PASSWORD, write_secrets
from support.scanner import QUICK, WHOLE, Pace, Target, scan
from vivero_data.app import create_app
from vivero_data.settings import load

# Its session is to last.
CLOSED = ("/logout",)
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def address(
    new_tenant: Callable[[], Login], platform: dict[str, Any], tmp_path: Path, password_hash: str
) -> Iterator[str]:
    """A workspace on a port of its own, with an owner and a collection."""
    login, folder = new_tenant(), tmp_path / "secrets"
    write_secrets(folder, login, platform, Ed25519PrivateKey.generate())
    environ = {"VIVERO_TENANT_ID": login.id, "VIVERO_SECRETS_DIR": str(folder), "VIVERO_LOG_LEVEL": "ERROR"}
    settings = load(environ)
    with running(create_app(settings)) as made, httpx.Client(base_url=made, timeout=30) as client:
        operator = {"authorization": f"Bearer {settings.app.operator_token}"}
        owner = {"email": OWNER, "name": "Olive", "password_hash": password_hash}
        said = {"name": NAME, "public_url": made, "owner": owner}
        client.put("/internal/v1/workspace", json=said, headers=operator).raise_for_status()
        tokens = client.post("/api/v1/auth/login", json={"email": OWNER, "password": PASSWORD}).raise_for_status()
        bearer = {"authorization": f"Bearer {tokens.json()['access_token']}"}
        fields = [
            {"name": "Name", "type": "text"},
            {"name": "Size", "type": "number"},
            {"name": "Note", "type": "text"},
        ]
        client.post("/api/v1/collections", json={"name": "Things", "fields": fields}, headers=bearer).raise_for_status()
        values = {"values": {"Name": "one", "Size": 1}}
        client.post("/api/v1/collections/Things/records", json=values, headers=bearer).raise_for_status()
        yield made


@pytest.mark.parametrize("pace", [QUICK, pytest.param(WHOLE, marks=pytest.mark.full)], ids=["quick", "whole"])
@pytest.mark.parametrize("who", ["nobody", "owner"])
def test_a_scanner_finds_nothing(address: str, tmp_path: Path, pace: Pace, who: str) -> None:
    cookies = session(address) if who == "owner" else {}
    found = scan(Target(address, cookies, CLOSED), tmp_path, pace)
    assert found.pages >= (4 if cookies else 2)
    assert found.findings == []
    assert found.called == []


def session(address: str) -> dict[str, str]:
    form = {"email": OWNER, "password": PASSWORD}
    answer = httpx.post(f"{address}/login", data=form, headers=OWN_PAGE, timeout=30)
    assert answer.status_code == 303, answer.text
    return dict(one.partition(";")[0].split("=", 1) for one in answer.headers.get_list("set-cookie"))
