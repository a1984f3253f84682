"""What the tests of the data plane share: a running workspace, and the files that the operator mounts."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from integration.conftest import Login
from litestar import Litestar
from vivero_data.settings import Settings

LIMITS: Final = {"plan": "trial", "features": ["analytics"]}


OWNER = "owner@example.com"
PASSWORD = "plum orchard at dawn"
HOST = "acme.vivero.localhost"
VIEW_HOST = "acme-as-of.vivero.localhost"
NAME = "Acme GmbH"


@dataclass
class Workspace:
    """A running data plane and a client of it."""

    app: Litestar
    client: httpx.AsyncClient
    settings: Settings
    environ: dict[str, str]
    folder: Path
    ticket_key: Ed25519PrivateKey

    @property
    def audit_log(self) -> str:
        """Its table, for SQL."""
        return f"`{self.settings.database.audit or self.settings.database.name}`.audit_log"

    def set_limits(self, **limits: object) -> None:
        (self.folder / "limits" / "limits.json").write_text(json.dumps({**LIMITS, **limits}))

    @property
    def operator(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.settings.app.operator_token}"}

    async def tell(self, **changes: object) -> httpx.Response:
        """What the operator says, with changes; without an owner unless they name one."""
        said = {"name": NAME, "public_url": f"https://{HOST}:8443", **changes}
        return await self.client.put("/internal/v1/workspace", json=said, headers=self.operator)

    async def login(self, email: str = OWNER, password: str = PASSWORD) -> dict[str, str]:
        """The header of a signed-in user."""
        answer = await self.client.post("/api/v1/auth/login", json={"email": email, "password": password})
        assert answer.status_code == 200, answer.text
        return {"authorization": f"Bearer {answer.json()['access_token']}"}

    async def user(self, owner: dict[str, str], role: str, email: str = "") -> dict[str, str]:
        """Adds a user and signs them in."""
        address = email or f"{role}-{secrets.token_hex(4)}@example.com"
        body = {"email": address, "password": PASSWORD, "role": role}
        answer = await self.client.post("/api/v1/users", json=body, headers=owner)
        assert answer.status_code == 201, answer.text
        return await self.login(address)

    async def collection(self, owner: dict[str, str], *fields: dict[str, Any], name: str = "Contacts") -> None:
        body = {"name": name, "fields": list(fields) or [{"name": "Name", "type": "text"}]}
        answer = await self.client.post("/api/v1/collections", json=body, headers=owner)
        assert answer.status_code == 201, answer.text

    async def grow(self, collection: str, amount: int, values: Mapping[str, str]) -> None:
        """Very many records more, written by the database itself: SQL over `seq`, from 1 to `amount`, by field.

        A statement over 40,000 of them that finds no index takes some ten milliseconds on any machine, so that a limit
        of one is exceeded for certain. A limit below what a timer can tell is exceeded by chance.
        """
        async with self.app.state.services.database.read() as connection:
            (number,) = await connection.fetch_one("SELECT id FROM collections WHERE name = %s", collection)
            fields = dict(await connection.fetch_all("SELECT name, id FROM fields WHERE collection_id = %s", number))
            columns = ", ".join(f"`f_{fields[name]}`" for name in values)
            await connection.execute(
                f"INSERT INTO `c_{number}` ({columns})"  # noqa: S608  names from numbers
                f" SELECT {', '.join(values.values())} FROM seq_1_to_{amount}"
            )
            await connection.execute("UPDATE collections SET records = records + %s WHERE id = %s", amount, number)

    async def targets(self, owner: dict[str, str], amount: int) -> None:
        """A collection with so many records, which links may lead to; number 1 in a new workspace."""
        await self.collection(owner, name="Targets")
        rows = [{"values": {"Name": f"Target {number}"}} for number in range(1, amount + 1)]
        answer = await self.client.post(
            "/api/v1/collections/Targets/records/batch", json={"create": rows}, headers=owner
        )
        assert answer.status_code in {200, 201}, answer.text


def write_secrets(folder: Path, login: Login, platform: Mapping[str, Any], ticket_key: Ed25519PrivateKey) -> None:
    """The files that the operator mounts."""
    database, cache = platform["mariadb"], urlsplit(platform["valkey"]["url"])
    public = ticket_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    files = {
        "database/username": login.database_user.name,
        "database/password": login.database_user.secret,
        "database/host": database["host"],
        "database/port": str(database["port"]),
        "database/name": login.database,
        "database/audit": login.audit_database,
        "cache/username": login.cache_user.name,
        "cache/password": login.cache_user.secret,
        "cache/host": str(cache.hostname),
        "cache/port": str(cache.port),
        "cache/prefix": login.prefix,
        "storage/access_key": login.account.name,
        "storage/secret_key": login.account.secret,
        "storage/endpoint": platform["s3"]["endpoint"],
        "storage/bucket": login.bucket,
        "storage/region": "us-east-1",
        "app/signing_key": secrets.token_hex(32),
        "app/file_key": secrets.token_hex(32),
        "app/operator_token": secrets.token_hex(32),
        "limits/limits.json": json.dumps(LIMITS),
        "platform/ca.crt": Path(platform["ca"]).read_text(),
        "platform/ticket.pub": public.decode(),
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
