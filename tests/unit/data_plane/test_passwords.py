import pytest
from vivero_data.lib.passwords import HASH_PREFIX, Passwords, problem_with


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short",
        "x" * 129,
        "tab\tinside it",
        "password123!",
        "P4ssw0rd2026",
        "aaaaaaaaaaaa",
        "abcdefghijkl",
        "9876543210",
    ],
)
def test_bad_passwords_are_refused_in_words(password: str) -> None:
    assert problem_with(password)


@pytest.mark.parametrize("password", ["ada.lovelace", "Ada.Lovelace1815", "ada.lovelace@example.com"])
def test_ones_own_address_is_no_password(password: str) -> None:
    assert problem_with(password, "ada.lovelace@example.com")
    assert problem_with("plum orchard at dawn", "ada.lovelace@example.com") is None


@pytest.mark.parametrize(
    ("workspace", "password"),
    [
        ("Acme Rockets GmbH", "Acme Rockets GmbH"),
        ("Acme Rockets GmbH", "acmerocketsgmbh2026!"),
        ("Acme Rockets GmbH", "acme-rockets-gmbh"),
        ("Acme Rockets GmbH", "acm3 r0ck3ts gmbh"),
        ("Studio 54", "studio-54!2026"),
        ("Kaffee & Kuchen", "kaffeekuchen1"),
    ],
)
def test_the_workspaces_name_is_no_password(workspace: str, password: str) -> None:
    assert (
        problem_with(password, "ada@example.com", workspace) == "is too easy to guess; a few unrelated words are better"
    )
    assert problem_with("plum orchard at dawn", "ada@example.com", workspace) is None


@pytest.mark.parametrize("password", ["plum orchard at dawn", "Größe 🌱 und Höhe", "correct-horse-battery"])
def test_good_passwords_are_fine(password: str) -> None:
    assert problem_with(password) is None


async def test_without_an_account_the_work_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords = Passwords()
    worked: list[str] = []
    real = passwords._hasher  # noqa: SLF001  what it is asked to do is the point

    class Counting:
        def hash(self, password: str) -> str:
            worked.append("hash")
            return real.hash(password)

        def verify(self, stored: str, password: str) -> bool:
            worked.append("verify")
            return real.verify(stored, password)

    stored = real.hash("plum orchard at dawn")
    monkeypatch.setattr(passwords, "_hasher", Counting())
    try:
        assert await passwords.verify(stored, "plum orchard at dawn")
        assert worked == ["verify"]
        assert not await passwords.verify(None, "plum orchard at dawn")
        assert worked == ["verify", "hash"]
    finally:
        passwords.close()


async def test_hashes_verify() -> None:
    passwords = Passwords()
    try:
        stored = await passwords.hash("plum orchard at dawn")
        assert stored.startswith(f"{HASH_PREFIX}v=19$m=19456,t=2,p=1$")
        assert await passwords.verify(stored, "plum orchard at dawn")
        assert not await passwords.verify(stored, "plum orchard at dusk")
        assert not await passwords.verify(None, "plum orchard at dawn")
        assert not await passwords.verify("not a hash", "plum orchard at dawn")
    finally:
        passwords.close()
