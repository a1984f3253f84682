"""A person without JavaScript."""

import re

from litestar import Litestar
from litestar.testing import TestClient


class Browser:
    """What a person without JavaScript does: opens pages, fills in forms, follows where they lead."""

    def __init__(self, client: TestClient[Litestar]) -> None:
        self.client = client

    def open(self, path: str, status: int = 200) -> str:
        answer = self.client.get(path)
        assert answer.status_code == status, answer.text
        return answer.text

    def send(self, path: str, status: int = 303, **form: str) -> str:
        """Post a form; where it leads, or the page that came instead. `__` in a name stands for `-`."""
        data = {name.replace("__", "-"): value for name, value in form.items()}
        answer = self.client.post(path, data=data, follow_redirects=False)
        assert answer.status_code == status, answer.text
        return answer.headers["location"] if status == 303 else answer.text

    def customers(self) -> dict[str, str]:
        """A collection of every type; the names of its inputs by field."""
        rows = [
            ("Company", "text"),
            ("Notes", "long_text"),
            ("Value", "number"),
            ("Staff", "integer"),
            ("Paid", "boolean"),
            ("Since", "date"),
            ("Call", "datetime"),
            ("Status", "choice"),
            ("Mail", "email"),
            ("Site", "url"),
        ]
        form = {"name": "Customers", "description": "Who we sell to", "field-0-required": "on"}
        for number, (name, kind) in enumerate(rows):
            form |= {f"field-{number}-name": name, f"field-{number}-type": kind}
        form["field-7-choices"] = "Lead, Active"
        answer = self.client.post("/new-collection", data=form, follow_redirects=False)
        assert answer.status_code == 303, answer.text
        page = self.open("/collections/Customers/new")
        found = re.findall(r'<label for="(f\d+)"[^>]*>([\w ]+)', page)
        return {words.removesuffix(" (UTC)").strip(): name for name, words in found}
