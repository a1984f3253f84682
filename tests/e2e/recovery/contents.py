"""What tests of recovery put into a workspace, and look for afterwards."""

import secrets

import httpx
from e2e.owned import OwnedTenant


class Note:
    """A file that the owner has uploaded."""

    def __init__(self, owned: OwnedTenant) -> None:
        self._owned = owned
        self.content = f"canary {secrets.token_hex(8)}".encode()
        sent = owned.request("POST", "/api/v1/files", files={"file": ("note.txt", self.content, "text/plain")})
        self.id = str(sent.raise_for_status().json()["id"])

    def get(self) -> httpx.Response:
        return self._owned.request("GET", f"/api/v1/files/{self.id}")

    def delete(self) -> None:
        self._owned.request("DELETE", f"/api/v1/files/{self.id}").raise_for_status()


class Notebook:
    """A collection of the workspace, through its API and that of its copies."""

    def __init__(self, client: httpx.Client, login: dict[str, str], name: str, url: str = "") -> None:
        self._client, self._at = client, f"{url}/api/v1/collections/{name}/records"
        token = client.post(f"{url}/api/v1/auth/login", json=login).raise_for_status().json()["access_token"]
        self.headers = {"Authorization": f"Bearer {token}"}

    def make(self, name: str) -> None:
        """The collection."""
        made = {"name": name, "fields": [{"name": "Text", "type": "text"}]}
        self._client.post("/api/v1/collections", json=made, headers=self.headers).raise_for_status()

    def add(self, text: str) -> str:
        made = self._client.post(self._at, json={"values": {"Text": text}}, headers=self.headers)
        ident: str = made.raise_for_status().json()["id"]
        return ident

    def remove(self, ident: str) -> None:
        self._client.delete(f"{self._at}/{ident}", headers=self.headers).raise_for_status()

    def texts(self) -> list[str]:
        found = self._client.get(self._at, headers=self.headers).raise_for_status().json()["items"]
        return sorted(one["values"]["Text"] for one in found)
