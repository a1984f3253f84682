"""Passwords: hashed once, whatever keyboard they are typed on."""

import asyncio
import unicodedata
from collections.abc import Iterator

import pytest
from vivero_web.passwords import Passwords
from vivero_web.text import PASSWORD_MAX

GOOD = "blue kettle 9 moon"


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    made = Passwords()
    yield made
    made.close()


async def test_hashes_verify(passwords: Passwords) -> None:
    stored = await passwords.hash(GOOD)
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await passwords.verify(stored, GOOD)
    assert not await passwords.verify(stored, f"{GOOD} ")
    assert not await passwords.verify(None, GOOD)
    assert not await passwords.verify("not a hash", GOOD)
    assert not await passwords.verify(stored, "\ud800 half a pair")


@pytest.mark.parametrize("password", ["Größe und Höhe 9", "한국어 비밀번호 열두", "ệ" * PASSWORD_MAX])
@pytest.mark.parametrize("chosen", ["NFC", "NFD"])
@pytest.mark.parametrize("typed", ["NFC", "NFD"])
async def test_one_password_has_one_spelling(passwords: Passwords, password: str, chosen: str, typed: str) -> None:
    stored = await passwords.hash(unicodedata.normalize(chosen, password))  # type: ignore[arg-type]
    assert await passwords.verify(stored, unicodedata.normalize(typed, password))  # type: ignore[arg-type]


async def test_a_hash_of_what_was_typed_before_there_was_a_spelling_stays_valid(passwords: Passwords) -> None:
    decomposed = unicodedata.normalize("NFD", "Größe und Höhe 9")
    stored = passwords._hasher.hash(decomposed)  # noqa: SLF001  as it was hashed then
    assert await passwords.verify(stored, decomposed)


@pytest.mark.parametrize(("typed", "work"), [(GOOD, 1), ("Gro\u0308ße und Höhe", 2)])
async def test_without_an_account_the_work_is_the_same(
    passwords: Passwords, monkeypatch: pytest.MonkeyPatch, typed: str, work: int
) -> None:
    worked: list[str] = []
    real = passwords._hasher  # noqa: SLF001  what it is asked to do is the point

    class Counting:
        def hash(self, password: bytes) -> str:
            worked.append("hash")
            return real.hash(password)

        def verify(self, stored: str, password: bytes) -> bool:
            worked.append("verify")
            return real.verify(stored, password)

    stored = real.hash("another")
    monkeypatch.setattr(passwords, "_hasher", Counting())
    assert not await passwords.verify(stored, typed)
    assert not await passwords.verify(None, typed)
    assert worked == ["verify"] * work + ["hash"] * work


async def test_a_hash_is_on_its_way_once_a_thread_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0})
    passwords = Passwords()
    first = await passwords.hashing(GOOD)
    waits = asyncio.create_task(passwords.hashing(GOOD))
    second = await asyncio.wait_for(waits, 10)
    assert first.done(), "the second began when the first had ended"
    assert await passwords.verify(await second, GOOD)
    assert await first != await second
    passwords.close()
