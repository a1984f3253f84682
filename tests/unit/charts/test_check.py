"""What `helm test` runs inside the cluster, against servers on loopback."""

import importlib.util
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType

import pytest

FILE = Path(__file__).parents[3] / "charts/vivero-operator/files/check.py"
PATIENCE = 0.2


@pytest.fixture(scope="module")
def check() -> ModuleType:
    spec = importlib.util.spec_from_file_location("chart_check", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.__dict__["PAUSE_SECONDS"] = 0.01
    return module


@contextmanager
def answering(*answers: tuple[int, object]) -> Iterator[tuple[str, list[str]]]:
    """A server that gives these answers in turn, the last one again and again; the hosts it was asked for."""
    left, hosts = list(answers), list[str]()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = left.pop(0) if len(left) > 1 else left[0]
            hosts.append(self.headers["Host"])
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode() if not isinstance(body, bytes) else body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class names it so
            del format, args

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", hosts
        server.shutdown()
        thread.join()


def test_an_answer_is_enough(check: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    with answering((200, {"ok": True})) as (url, hosts):
        assert check.main(["--host", "example.com", f"{url}/healthz"], PATIENCE) == 0
    assert hosts == ["example.com"]
    assert capsys.readouterr().out == f"{url}/healthz: answers\n"


def test_a_release_may_still_be_starting(check: ModuleType) -> None:
    with answering((503, {}), (503, {}), (200, {})) as (url, _):
        assert check.main([url], 5.0) == 0


@pytest.mark.parametrize("answer", [(503, {}), (404, {}), (200, b"<html>")])
def test_anything_else_fails_in_words(
    check: ModuleType, capsys: pytest.CaptureFixture[str], answer: tuple[int, object]
) -> None:
    with answering(answer) as (url, _):
        assert check.main([url], PATIENCE) == 1
    assert f"{url}: FAILED, " in capsys.readouterr().out


def test_an_address_without_a_server_fails(check: ModuleType) -> None:
    assert check.main(["http://127.0.0.1:1/"], PATIENCE) == 1


def test_one_failure_does_not_hide_the_others(check: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    with answering((200, {})) as (url, _):
        assert check.main(["http://127.0.0.1:1/", url], PATIENCE) == 1
    assert f"{url}: answers" in capsys.readouterr().out


LEASE = {"holderIdentity": "operator-1", "renewTime": "2026-01-01T00:00:00.000000Z"}


@pytest.mark.parametrize(
    ("specs", "leads"),
    [
        ([LEASE, LEASE | {"renewTime": "2026-01-01T00:00:02.000000Z"}], True),
        ([LEASE], False),
        ([LEASE | {"holderIdentity": ""}], False),
        ([{}], False),
    ],
)
def test_a_leader_renews(
    check: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    specs: list[dict[str, str]],
    *,
    leads: bool,
) -> None:
    monkeypatch.setattr(check.ssl, "create_default_context", lambda **_: None)
    (tmp_path / "token").write_text("secret")
    with answering(*((200, {"spec": spec}) for spec in specs)) as (url, _):
        lease = check.Leader("vivero-system/vivero-operator", tmp_path, url)
        assert check.succeeds("Lease", lease.renews, PATIENCE) is leads
