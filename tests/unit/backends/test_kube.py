import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st
from vivero_core.backends.kube import config, errors, resources
from vivero_core.backends.kube.client import Change, KubeClient, Listing, Object, _change, _lines, encoded, whole
from vivero_core.backends.kube.follow import follow
from vivero_core.errors import BackendError


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (401, errors.KubeUnauthorizedError, False),
        (403, errors.KubeForbiddenError, False),
        (404, errors.KubeUnavailableError, True),
        (409, errors.KubeConflictError, True),
        (410, errors.KubeGoneError, True),
        (422, errors.KubeInvalidError, False),
        (429, errors.KubeThrottledError, True),
        (500, errors.KubeUnavailableError, True),
        (503, errors.KubeUnavailableError, True),
    ],
)
def test_a_status_says_what_a_caller_can_do(status: int, kind: type[BackendError], retryable: bool) -> None:  # noqa: FBT001  a table's column
    error = errors.from_status(status, {"message": "because"}, "GET /x")
    assert type(error) is kind
    assert error.retryable is retryable
    assert str(error) == "kubernetes: GET /x: because"


def test_absence_is_what_the_server_says_and_no_other_404() -> None:
    """A load balancer's page says nothing about the object; taken for absence it would cost a tenant its secrets."""
    assert type(errors.from_status(404, {"reason": "NotFound"}, "GET /x")) is errors.KubeNotFoundError
    for page in ({}, {"message": "default backend - 404"}, {"reason": ""}):
        assert type(errors.from_status(404, page, "GET /x")) is errors.KubeUnavailableError


def test_throttling_says_how_long_to_wait() -> None:
    error = errors.from_status(429, {"details": {"retryAfterSeconds": 7}}, "GET /x")
    assert isinstance(error, errors.KubeThrottledError)
    assert error.retry_after == 7


def test_a_taken_name_is_told_from_a_conflict() -> None:
    assert isinstance(errors.from_status(409, {"reason": "AlreadyExists"}, "POST"), errors.KubeAlreadyExistsError)


SENTENCE = 'trialEndsAt is allowed only on plan trial, "starter" has none: remove it'


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        (f'Invalid value: "object": {SENTENCE}', SENTENCE),
        (f'Invalid value: "quote \\" colon: and, comma": {SENTENCE}', SENTENCE),
        (f'Invalid value: {{"a": "b: c", "d": [1, 2]}}: {SENTENCE}', SENTENCE),
        (f"Invalid value: null: {SENTENCE}", SENTENCE),
        (f"Invalid value: -5: {SENTENCE}", SENTENCE),
        (f"Invalid value: 5Gi: {SENTENCE}", SENTENCE),
        (f"Required value: {SENTENCE}", SENTENCE),
        (f"Forbidden: {SENTENCE}", SENTENCE),
        (f"ValidatingAdmissionPolicy 'p' with binding 'b' denied request: {SENTENCE}", SENTENCE),
        ("Required value", "Required value"),
        ('Duplicate value: "a: b, c"', 'Duplicate value: "a: b, c"'),
        ('Unsupported value: "No": supported values: "A", "B"', 'Unsupported value: "No": supported values: "A", "B"'),
        ("Too long: may not be more than 40 bytes", "Too long: may not be more than 40 bytes"),
    ],
)
@pytest.mark.parametrize("status", [400, 403, 422])
def test_a_refusal_keeps_each_sentence_whole(status: int, message: str, sentence: str) -> None:
    body = {"message": "cut, at a comma", "details": {"causes": [{"field": "spec.a", "message": message}] * 2}}
    error = errors.from_status(status, body, "PATCH /x")
    assert isinstance(error, errors.KubeRefusedError)
    assert error.causes == (errors.Cause("spec.a", sentence),) * 2


@given(st.text(min_size=1), st.text())
def test_whatever_the_value_is_the_sentence_is_whole(sentence: str, value: str) -> None:
    body = {"details": {"causes": [{"message": f"Invalid value: {json.dumps(value)}: {sentence}"}]}}
    error = errors.from_status(422, body, "PATCH /x")
    assert isinstance(error, errors.KubeInvalidError)
    assert error.causes == (errors.Cause("", sentence),)


def test_a_remark_that_rules_were_left_out_is_no_cause() -> None:
    remark = {"field": "<nil>", "message": "Invalid value: null: some validation rules were not checked"}
    error = errors.from_status(422, {"details": {"causes": [remark]}}, "PATCH /x")
    assert isinstance(error, errors.KubeInvalidError)
    assert error.causes == ()


def test_an_apply_that_does_not_fit_the_schema_is_refused_though_it_comes_as_500() -> None:
    body = {"message": "failed to create typed patch object (/x; v1, Kind=Y): .spec.a: expected string, got 5"}
    error = errors.from_status(500, body, "PATCH /x")
    assert isinstance(error, errors.KubeInvalidError)
    assert not error.retryable


def test_another_objects_uid_is_a_conflict() -> None:
    body = {"details": {"causes": [{"field": "metadata.uid", "message": "field is immutable"}]}}
    assert isinstance(errors.from_status(422, body, "PATCH /x"), errors.KubeConflictError)


def test_addresses() -> None:
    assert resources.SECRET.path("s", namespace="n") == "/api/v1/namespaces/n/secrets/s"
    assert resources.SECRET.path() == "/api/v1/secrets"
    assert resources.TENANT.path("t", subresource="status") == "/apis/vivero.dev/v1alpha1/tenants/t/status"
    assert resources.DEPLOYMENT.path(namespace="n") == "/apis/apps/v1/namespaces/n/deployments"
    with pytest.raises(ValueError, match="needs a namespace"):
        resources.SECRET.path("s")
    with pytest.raises(ValueError, match="cluster-scoped"):
        resources.TENANT.path("t", namespace="n")


@given(st.text(min_size=1))
def test_no_name_reaches_another_address(name: str) -> None:
    path = resources.SECRET.path(name, namespace="n")
    assert path.count("/") == 6
    assert not set(path) & set("?#")


def test_a_manifest_finds_its_resource() -> None:
    assert resources.resource_of({"apiVersion": "vivero.dev/v1alpha1", "kind": "Tenant"}) is resources.TENANT
    assert resources.resource_of({"apiVersion": "v1", "kind": "Event"}) is resources.CORE_EVENT
    with pytest.raises(ValueError, match="unknown resource"):
        resources.resource_of({"apiVersion": "v1", "kind": "Tenant"})


def write_kubeconfig(folder: Path, authority: str, **user: object) -> Path:
    document = {
        "current-context": "here",
        "contexts": [
            {"name": "elsewhere", "context": {"cluster": "?", "user": "?"}},
            {"name": "here", "context": {"cluster": "c", "user": "u", "namespace": "n"}},
        ],
        "clusters": [
            {
                "name": "c",
                "cluster": {
                    "server": "https://127.0.0.1:6443/",
                    "certificate-authority-data": base64.b64encode(authority.encode()).decode(),
                },
            }
        ],
        "users": [{"name": "u", "user": user}],
    }
    path = folder / "config"
    path.write_text(yaml.safe_dump(document))
    return path


def test_a_kubeconfig_is_read(tmp_path: Path, authority: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_kubeconfig(tmp_path, authority, tokenFile="/token")
    monkeypatch.setenv("KUBECONFIG", str(path))
    loaded = config.load()
    assert (loaded.server, loaded.namespace, loaded.token_file) == ("https://127.0.0.1:6443", "n", Path("/token"))
    assert len(loaded.tls.get_ca_certs()) == 1


def test_a_useless_kubeconfig_is_named(tmp_path: Path, authority: str) -> None:
    broken = write_kubeconfig(tmp_path, authority, **{"client-certificate-data": "AAAA", "client-key-data": "AAAA"})
    for path in (broken, tmp_path / "missing"):
        with pytest.raises(config.KubeConfigError, match=path.name):
            config.from_kubeconfig(path)


def test_a_service_account_is_read(tmp_path: Path, authority: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, content in (("token", "t"), ("ca.crt", authority), ("namespace", "vivero-system\n")):
        (tmp_path / name).write_text(content)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "6443")
    loaded = config.in_cluster(tmp_path)
    assert (loaded.server, loaded.namespace) == ("https://[fd00::1]:6443", "vivero-system")
    assert loaded.token_file == tmp_path / "token"


def test_outside_a_pod_there_is_no_service_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.delenv("KUBECONFIG", raising=False)
    with pytest.raises(config.KubeConfigError, match="not in a pod"):
        config.load()
    with pytest.raises(config.KubeConfigError):
        config.in_cluster(tmp_path)


async def test_the_guard_stops_writes_and_no_reads(tmp_path: Path, authority: str) -> None:
    def fence() -> None:
        raise PermissionError("not now")

    settings = config.from_kubeconfig(write_kubeconfig(tmp_path, authority))
    client = KubeClient(settings, field_manager="test", fence=fence)
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}}
    for write in (client.create(manifest), client.apply(manifest), client.delete(resources.NAMESPACE, "x", uid="u")):
        with pytest.raises(PermissionError):
            await write
    with pytest.raises(errors.KubeUnavailableError):  # it was never opened: the fence was not asked
        await client.get(resources.NAMESPACE, "x")


async def test_a_closed_client_is_unavailable(tmp_path: Path, authority: str) -> None:
    client = KubeClient(config.from_kubeconfig(write_kubeconfig(tmp_path, authority)), field_manager="test")
    with pytest.raises(errors.KubeUnavailableError, match="closed"):
        await client.version()


class Chunks:
    """A response body in pieces."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = pieces

    async def iter_any(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece


@given(st.lists(st.binary().map(lambda line: line.replace(b"\n", b"")), max_size=5), st.data())
def test_lines_come_whole_however_the_network_cuts_them(lines: list[bytes], data: st.DataObject) -> None:
    body = b"".join(line + b"\n" for line in lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=5)))
    pieces = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]

    async def read() -> list[bytes]:
        return [line async for line in _lines(Chunks(pieces))]  # type: ignore[arg-type]

    assert asyncio.run(read()) == lines


@given(st.dictionaries(st.text(max_size=5), st.text(), max_size=3))
def test_a_body_reads_the_same_as_json_and_as_yaml(data: dict[str, str]) -> None:
    body = encoded(data)
    assert json.loads(body) == data
    assert yaml.safe_load(body) == data


def test_an_error_event_is_raised() -> None:
    with pytest.raises(errors.KubeGoneError, match="too old"):
        _change({"type": "ERROR", "object": {"code": 410, "message": "too old resource version"}}, "/x")


@pytest.mark.parametrize("line", ["[]", "{}", "null", '{"type": "ADDED"}', '{"type": "ADDED", "object": null}', '"x"'])
def test_a_line_that_is_no_event_is_no_answer(line: str) -> None:
    with pytest.raises(errors.KubeUnavailableError):
        _change(json.loads(line), "/x")


@pytest.mark.parametrize("page", ["<html>busy</html>", "", "[]", '"ok"', '{"status": "ok"}', '{"items": []}'])
async def test_a_page_of_something_in_between_is_no_answer(authority: str, tmp_path: Path, page: str) -> None:
    """Taken for an empty list it would mean that all objects are gone."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=page)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    trust = config.from_kubeconfig(write_kubeconfig(tmp_path, authority)).tls
    async with TestServer(app) as server:
        there = config.KubeConfig(str(server.make_url("")).rstrip("/"), trust)
        async with KubeClient(there, field_manager="test") as client:
            with pytest.raises(errors.KubeUnavailableError):
                await client.list(resources.SECRET)
            if not page.startswith("{"):
                with pytest.raises(errors.KubeUnavailableError):
                    await client.get(resources.SECRET, "x", "n")


def change(version: int, kind: str = "MODIFIED") -> Change[Object]:
    return Change(kind, {"metadata": {"resourceVersion": str(version)}})  # type: ignore[arg-type]


class Script:
    """A client whose lists and watches play a script; each watch records where it started."""

    def __init__(self, watches: list[list[Change[Object] | Exception]]) -> None:
        self.watches: Iterator[list[Change[Object] | Exception]] = iter(watches)
        self.lists = 0
        self.started: list[str] = []

    async def list_as(self, *_: object, **__: object) -> Listing[Object]:
        self.lists += 1
        return Listing([], str(self.lists * 100))

    async def watch(self, _resource: object, version: str, *_: object, **__: object) -> AsyncIterator[Change[Object]]:
        self.started.append(version)
        for step in next(self.watches):
            if isinstance(step, Exception):
                raise step
            yield step


async def play(
    script: Script, monkeypatch: pytest.MonkeyPatch, view: Callable[[Object], object] = whole
) -> tuple[list[Any], list[float]]:
    """What follow yields until its script ends with a refusal, and the pauses it took."""
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    seen: list[Any] = []
    try:
        async for item in follow(script, resources.TENANT, view):  # type: ignore[arg-type]
            seen.append(item)  # noqa: PERF401  what came before the error counts too
    except errors.KubeForbiddenError:
        return seen, pauses
    raise AssertionError("follow ended by itself")


FORBIDDEN = errors.KubeForbiddenError("kubernetes", "no")


async def test_following_resumes_after_the_last_event(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script([[change(101), change(105, "BOOKMARK")], [change(106)], [FORBIDDEN]])
    seen, pauses = await play(script, monkeypatch)
    assert seen == [Listing([], "100"), change(101), change(106)]
    assert script.started == ["100", "105", "106"]
    assert pauses == []


async def test_following_keeps_what_the_view_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script([[change(101)], [FORBIDDEN]])
    seen, _ = await play(script, monkeypatch, lambda item: item["metadata"]["resourceVersion"])
    assert seen == [Listing([], "100"), Change("MODIFIED", "101")]


async def test_following_lists_again_when_the_version_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script([[errors.KubeGoneError("kubernetes", "old")], [FORBIDDEN]])
    seen, pauses = await play(script, monkeypatch)
    assert seen == [Listing([], "100"), Listing([], "200")]
    assert len(pauses) == 1


async def test_following_backs_off_and_recovers(monkeypatch: pytest.MonkeyPatch) -> None:
    down: list[Change[Object] | Exception] = [errors.KubeUnavailableError("kubernetes", "down")]
    script = Script([down] * 12 + [[change(101)], down, [FORBIDDEN]])
    seen, pauses = await play(script, monkeypatch)
    assert seen == [Listing([], "100"), change(101)]
    assert pauses[-2] > 10
    assert max(pauses) <= 30
    assert pauses[-1] <= 0.2
