"""The console's client of Prometheus: bounded in time and size, over servers of the test's own that behave badly."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from litestar.types import Receive, Scope, Send
from pydantic import AnyHttpUrl
from support.served import served
from support.sockets import free_port
from vivero_control.domain.monitoring import prometheus as module
from vivero_control.domain.monitoring.prometheus import ANSWER_BYTES, Breaker, NoAnswerError, Prometheus

Answer = Callable[[Send], Awaitable[None]]


@asynccontextmanager
async def asking(url: str, breaker: Breaker | None = None) -> AsyncIterator[Prometheus]:
    async with Prometheus(AnyHttpUrl(url), ssl.create_default_context(), breaker) as made:
        yield made


def says(status: int, body: bytes) -> Answer:
    async def answer(send: Send) -> None:
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    return answer


@asynccontextmanager
async def behaving(answer: Answer) -> AsyncIterator[tuple[str, list[str]]]:
    """Its address, and the paths that it was asked for."""
    paths: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        paths.append(str(scope["path"]))
        await answer(send)

    async with served(app) as url:
        yield url, paths


async def test_figures_come_as_prometheus_writes_them() -> None:
    body = b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{"pod":"a"},"value":[7.5,"NaN"]}]}}'
    async with behaving(says(200, body)) as (url, paths), asking(url) as prometheus:
        (found,) = await prometheus.newest("up", 7)
    assert (found.metric, found.value) == ({"pod": "a"}, (7.5, "NaN"))
    assert paths == ["/api/v1/query"]


async def test_what_prometheus_says_of_a_question_is_told_and_it_is_asked_again() -> None:
    body = b'{"status":"error","errorType":"bad_data","error":"1:4: parse error"}'
    async with behaving(says(400, body)) as (url, paths), asking(url) as prometheus:
        for _ in range(2):
            with pytest.raises(NoAnswerError, match=r"400\. 1:4: parse error"):
                await prometheus.newest("up", 7)
    assert len(paths) == 2


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, b"<html>", "does not speak"),
        (200, b'{"data":{"result":7}}', "does not speak"),
        (503, b"<html>", "answered 503"),
        (302, b"", "answered 302"),
        (200, b" " * (ANSWER_BYTES + 1), "more than can be shown"),
    ],
)
async def test_another_answer_is_no_figure(status: int, body: bytes, words: str) -> None:
    async with behaving(says(status, body)) as (url, _), asking(url) as prometheus:
        with pytest.raises(NoAnswerError, match=words):
            await prometheus.between("up", 0, 60, 30)


async def test_one_that_is_away_is_left_alone_for_a_while() -> None:
    now = 0.0
    breaker = Breaker(lambda: now)
    async with asking(f"http://127.0.0.1:{free_port()}", breaker) as prometheus:
        with pytest.raises(NoAnswerError, match="cannot be reached"):
            await prometheus.alerts()
        with pytest.raises(NoAnswerError, match="a moment ago"):
            await prometheus.alerts()
        now += module.PAUSE
        with pytest.raises(NoAnswerError, match="cannot be reached"):
            await prometheus.alerts()


async def test_one_that_hangs_is_given_up_and_then_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", 0.2)
    let_go = asyncio.Event()

    async def hang(send: Send) -> None:
        await let_go.wait()
        await says(200, b"{}")(send)

    async with behaving(hang) as (url, paths), asking(url) as prometheus:
        with pytest.raises(NoAnswerError, match="did not answer within"):
            await prometheus.newest("up", 7)
        with pytest.raises(NoAnswerError, match="a moment ago"):
            await prometheus.newest("up", 7)
        let_go.set()
    assert len(paths) == 1
