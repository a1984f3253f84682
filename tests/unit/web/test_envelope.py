"""Addresses and headers have bounds, for everything that parses them keeps them for a while."""

from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar, Request, get
from litestar.params import FromPath
from support.asgi import Answer, ask
from support.programs import PROGRAMS
from vivero_web.current_request import Proxies
from vivero_web.request_context import RequestContext

seen: list[str] = []


@get("/files/{name:str}")
async def file(request: Request[Any, Any, Any], name: FromPath[str]) -> str:
    seen.append(name)
    return f"{len(list(request.query_params.multi_items()))} {len(request.cookies)}"


@pytest.fixture
def app() -> Litestar:
    seen.clear()
    made = Litestar([file], logging_config=None)
    made.asgi_handler = RequestContext(made.asgi_handler, Proxies(0), hsts="")
    return made


async def asked(app: Litestar, target: str, *cookies: str) -> Answer:
    answer = await ask(app, "GET", target, [("cookie", cookie) for cookie in cookies])
    assert bool(seen) == (answer.status == 200)
    return answer


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("/files/a?" + "&".join(["filter=text:in:" + "x" * 60] * 199), b"199 0"),
        ("/files/" + "%C3%A9" * 64 * 4, b"0 0"),
        ("/files/a?cursor=" + "A" * 4096, b"1 0"),
    ],
)
async def test_what_our_own_pages_and_programs_send_is_read(app: Litestar, target: str, said: bytes) -> None:
    assert (await asked(app, target)).body == said


async def test_the_chosen_columns_of_many_collections_fit(app: Litestar) -> None:
    cookie = "; ".join(f"__Host-columns-{number}=12345.12346.12347.12348.12349" for number in range(180))
    assert (await asked(app, "/files/a", cookie)).body == b"0 180"


@pytest.mark.parametrize(
    "target",
    [
        "/files/" + "a" * 3000,
        "/files/" + "%F0%9F%8E%89" * 600,
        "/files/a?" + "a" * 17_000,
        "/files/a?" + "&" * 200,
        "/" + "a/" * 2000,
    ],
)
async def test_a_longer_address_is_refused(app: Litestar, target: str) -> None:
    assert (await asked(app, target)).status == 414


@pytest.mark.parametrize("cookies", [["a=" + "x" * 17_000], ["a=" + "x" * 9000] * 2, ["a=1;" * 200], ["a=1;b=2"] * 200])
async def test_more_cookies_are_refused(app: Litestar, cookies: list[str]) -> None:
    assert (await asked(app, "/files/a", *cookies)).status == 431


@pytest.mark.parametrize(
    "host",
    [
        "a:b",
        "[",
        "a:99999999",
        "[::1",
        "\u00e9:x",
        "http://\u00ff",
        "a/b",
        "a b",
        "a\tb",
        "a@b",
        "a?b",
        "a#b",
        "a:1:2",
        "[::1]x",
    ],
)
async def test_a_host_that_is_none_is_refused(app: Litestar, host: str) -> None:
    answer = await ask(app, "GET", "/files/a", [("host", host)])
    assert (answer.status, dict(answer.headers)[b"x-content-type-options"]) == (400, b"nosniff")
    assert not seen


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("host", ["http://\u00e9", "a/b:x"])
async def test_so_it_is_by_both_programs(tmp_path: Path, program: str, host: str) -> None:
    assert (await ask(PROGRAMS[program](tmp_path), "GET", "/", [("host", host)])).status == 400
