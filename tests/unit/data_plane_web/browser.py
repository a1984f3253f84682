"""A person without JavaScript."""

import re
from html.parser import HTMLParser

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

    def send(self, path: str, status: int = 303, /, **form: str) -> str:
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
            ("Price", "money"),
            ("Tags", "choices"),
        ]
        form = {"name": "Customers", "description": "Who we sell to", "field-0-required": "on"}
        for number, (name, kind) in enumerate(rows):
            form |= {f"field-{number}-name": name, f"field-{number}-type": kind}
        form |= {"field-7-choices": "Lead, Active", "field-10-currency": "eur", "field-11-choices": "red, green"}
        answer = self.client.post("/new-collection", data=form, follow_redirects=False)
        assert answer.status_code == 303, answer.text
        return self.inputs()

    def inputs(self) -> dict[str, str]:
        """The names of that collection's inputs by field."""
        page = self.open("/collections/Customers/new")
        found = re.findall(r'<label for="(f\d+)"[^>]*>([\w ()]+)', page)
        return {words.strip().removesuffix(" (UTC)").removesuffix(" (EUR)"): name for name, words in found}


def form_of(page: str, action: str, method: str = "post") -> dict[str, str]:
    """What a browser sends of a page's form when nobody touches it, with all that Chromium rewrites on the way."""
    found = _Form(action, method)
    found.feed(page)
    return found.sent


class _Form(HTMLParser):
    def __init__(self, action: str, method: str) -> None:
        super().__init__()
        self.method = method
        self.action, self.sent = action, dict[str, str]()
        self.inside, self.area, self.menu = False, "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.inside = given.get("action") == self.action and given.get("method") == self.method
        if not self.inside:
            return
        if tag == "input" and (given.get("type") != "checkbox" or "checked" in given):
            self.sent[given["name"]] = _rewritten(given.get("type", "text"), given.get("value", ""))
        elif tag == "textarea":
            self.area = given["name"]
            self.sent[self.area] = ""
        elif tag == "select":
            self.menu = given["name"]
        elif tag == "option" and (self.menu not in self.sent or "selected" in given):
            self.sent[self.menu] = given["value"]

    def handle_data(self, data: str) -> None:
        if self.area:
            self.sent[self.area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False
        if tag == "textarea" and self.area:
            text = re.sub("\r\n?", "\n", self.sent[self.area]).removeprefix("\n")
            self.sent[self.area], self.area = text.replace("\n", "\r\n"), ""


def _rewritten(kind: str, value: str) -> str:
    """A value as an input of this type gives it back."""
    if kind == "datetime-local":
        known = re.fullmatch(r"([0-9-]{10}T[0-9]{2}:[0-9]{2})(:[0-9]{2})?(\.[0-9]{1,3})?", value)
        return f"{known[1]}{known[2] or ''}{(known[3] or '').rstrip('0').rstrip('.')}" if known else ""
    if kind in {"email", "url"}:
        name, _, host = value.strip().partition("@")
        return f"{name}@{host.encode('idna').decode()}" if host and kind == "email" else value.strip()
    return re.sub("\r\n?|\n", "\r\n", value) if kind == "hidden" else re.sub("[\r\n]", "", value)
