"""A tenant of the example's kind, as the person sees it who owns it."""

from pathlib import Path
from typing import Any

import httpx
import yaml
from e2e.cluster import EXAMPLE, Kubectl, condition, status_of
from e2e.waiting import wait_until
from vivero_core.model import naming
from vivero_dev.localhost import local_client

PASSWORD = "vivero-example-2026"
CONTENT = "Straße, 東京\n".encode() * 1000


class OwnedTenant:
    """Made by kubectl, ready, with a file of its owner."""

    def __init__(self, kubectl: Kubectl, platform: dict[str, Any], name: str, **spec: object) -> None:
        self._kubectl, self._authority, self.name = kubectl, Path(platform["ca"]), name
        self.login = {"email": f"owner@{name}.example", "password": PASSWORD}
        secret, tenant = yaml.safe_load_all(EXAMPLE.read_text())
        secret["metadata"]["name"] = tenant["spec"]["owner"]["passwordHashSecret"] = f"signup-{name}"
        tenant["metadata"]["name"] = tenant["spec"]["slug"] = name
        tenant["spec"]["owner"]["email"] = self.login["email"]
        tenant["spec"] |= spec
        kubectl("apply", "-f", "-", given=yaml.safe_dump_all([secret, tenant]))
        kubectl("wait", "--for=condition=Ready", f"tenant/{name}", "--timeout=80s")
        status = self.status()
        self.id, self.url = str(status["id"]), str(status["url"])
        wait_until(lambda: self.request("GET", "/api/v1/me").is_success, 60, "a login")
        self.file = self.upload()

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = status_of(self._kubectl, "tenant", self.name)
        return found

    @property
    def namespace(self) -> str:
        return naming.namespace_name(self.id)

    def reason(self) -> str:
        """Of its condition Ready."""
        return str(condition(self._kubectl, self.name, "Ready").get("reason", ""))

    def request(self, method: str, path: str, **parts: Any) -> httpx.Response:  # noqa: ANN401  as httpx takes them
        """As its owner, after a login of its own; a login that failed is the answer."""
        with local_client(self._authority, timeout=30) as client:
            login = client.post(f"{self.url}/api/v1/auth/login", json=self.login)
            if not login.is_success:
                return login
            token = {"Authorization": f"Bearer {login.json()['access_token']}"}
            return client.request(method, f"{self.url}{path}", headers=token, **parts)

    def upload(self) -> str:
        """The id of the file."""
        answer = self.request("POST", "/api/v1/files", files={"file": ("letter.txt", CONTENT, "text/plain")})
        return str(answer.raise_for_status().json()["id"])

    def has_its_file(self) -> bool:
        answer = self.request("GET", f"/api/v1/files/{self.file}")
        return answer.is_success and answer.content == CONTENT
