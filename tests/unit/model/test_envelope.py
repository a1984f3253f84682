"""What is sealed for a tenant opens with its file key, under its name, and in no other way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vivero_core.envelope import PUBLIC_BYTES, open_sealed, public_key, seal_for
from vivero_core.sealing import CHUNK, Read, SealBrokenError

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))


def reading(content: bytes, step: int = 1 << 20) -> Read:
    left = bytearray(content)

    def read(size: int) -> bytes:
        taken = bytes(left[: min(size, step)])
        del left[: len(taken)]
        return taken

    return read


def sealed(content: bytes, name: str = "log t1 1 ") -> bytes:
    return b"".join(seal_for(reading(content), public_key(KEY), name))


def opened(body: bytes, key: bytes = KEY, name: str = "log t1 1 ", step: int = 1 << 20) -> bytes:
    return b"".join(open_sealed(reading(body, step), key, name))


@given(content=st.binary(max_size=3 * CHUNK), step=st.integers(1, 100_000))
def test_it_comes_back_however_it_is_read(content: bytes, step: int) -> None:
    assert opened(sealed(content), step=max(step, 64)) == content


def test_the_public_half_gives_nothing_away_and_opens_nothing() -> None:
    public = public_key(KEY)
    assert len(public) == PUBLIC_BYTES
    assert public == public_key(KEY) != public_key(OTHER)
    with pytest.raises(SealBrokenError):
        opened(sealed(b"content"), public)


def test_twice_the_same_content_is_never_twice_the_same_object() -> None:
    assert sealed(b"content") != sealed(b"content")


@pytest.mark.parametrize(("key", "name"), [(OTHER, "log t1 1 "), (KEY, "log t2 1 "), (KEY, "log t1 2 "), (KEY, "")])
def test_nobody_elses_and_under_no_other_name(key: bytes, name: str) -> None:
    with pytest.raises(SealBrokenError):
        opened(sealed(b"content"), key, name)


@given(at=st.integers(0, 199), bit=st.integers(0, 7))
def test_a_changed_bit_is_noticed(at: int, bit: int) -> None:
    body = bytearray(sealed(b"x" * 100))
    body[at % len(body)] ^= 1 << bit
    with pytest.raises(SealBrokenError):
        opened(bytes(body))


@given(size=st.integers(0, 187))
def test_a_cut_is_noticed(size: int) -> None:
    body = sealed(b"x" * 100)
    with pytest.raises(SealBrokenError):
        opened(body[: min(size, len(body) - 1)])


def test_a_point_that_is_nobodys_key_is_refused() -> None:
    body = sealed(b"content")
    with pytest.raises(SealBrokenError):
        opened(body[:4] + bytes(PUBLIC_BYTES) + body[4 + PUBLIC_BYTES :])
