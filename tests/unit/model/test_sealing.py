import io

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given, settings
from hypothesis import strategies as st
from vivero_core.sealing import (
    CHUNK,
    HEADER,
    TAG,
    SealBrokenError,
    seal,
    sealed_part,
    sealed_size,
    unseal,
    unseal_part,
)

KEY = bytes(range(32))
ID = "aaaabbbbccccddddeeeeffffgg"
SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 7]


def sealed(content: bytes, file_id: str = ID) -> bytes:
    return b"".join(seal(io.BytesIO(content).read, KEY, file_id))


def opened(stored: bytes, file_id: str = ID, key: bytes = KEY) -> bytes:
    return b"".join(unseal(io.BytesIO(stored).read, key, file_id))


def opened_part(stored: bytes, part: range, size: int) -> bytes:
    """As from a bucket: the header, and the bytes that the part needs."""
    span = sealed_part(part, size)
    read = io.BytesIO(stored[span.start : span.stop]).read
    return b"".join(unseal_part(stored[:HEADER], read, KEY, ID, part, size))


def content_of(size: int) -> bytes:
    return bytes(index * 31 % 251 for index in range(size))


@pytest.mark.parametrize("size", SIZES)
def test_what_goes_in_comes_out_and_has_the_foretold_size(size: int) -> None:
    content = content_of(size)
    stored = sealed(content)
    assert len(stored) == sealed_size(size)
    assert opened(stored) == content


def test_the_content_does_not_show() -> None:
    stored = sealed(b"plum orchard at dawn" * 100)
    assert b"orchard" not in stored
    assert stored != sealed(b"plum orchard at dawn" * 100)


@pytest.mark.parametrize("size", SIZES)
def test_a_file_cut_short_is_noticed(size: int) -> None:
    stored = sealed(content_of(size))
    for cut in {1, TAG, TAG + 1, CHUNK + TAG, len(stored) - HEADER}:
        if cut <= len(stored) - HEADER:
            with pytest.raises(SealBrokenError):
                opened(stored[:-cut])


def test_a_file_without_a_beginning_is_noticed() -> None:
    stored = sealed(b"x")
    for broken in (b"", stored[:HEADER], b"NOPE" + stored[4:]):
        with pytest.raises(SealBrokenError):
            opened(broken)


def test_chunks_moved_repeated_or_added_are_noticed() -> None:
    stored = sealed(content_of(3 * CHUNK))
    step = CHUNK + TAG
    head, first, second, third = (
        stored[:HEADER],
        stored[HEADER : HEADER + step],
        stored[HEADER + step : HEADER + 2 * step],
        stored[HEADER + 2 * step :],
    )
    for broken in (second + first + third, first + first + third, first + third, first + second + third + third):
        with pytest.raises(SealBrokenError):
            opened(head + broken)


def test_a_chunk_of_another_file_is_noticed() -> None:
    one, other = sealed(content_of(CHUNK)), sealed(content_of(CHUNK))
    with pytest.raises(SealBrokenError):
        opened(one[:HEADER] + other[HEADER:])


def test_another_id_does_not_open_it() -> None:
    with pytest.raises(SealBrokenError):
        opened(sealed(b"content"), file_id="b" * 26)


def test_a_file_says_which_key_it_needs() -> None:
    stored = sealed(b"content")
    with pytest.raises(SealBrokenError, match=f"needs the key {stored[4:12].hex()}"):
        opened(stored, key=bytes(32))
    with pytest.raises(SealBrokenError, match="needs the key"):
        b"".join(unseal_part(stored[:HEADER], io.BytesIO(stored[HEADER:]).read, bytes(32), ID, range(1), 7))


def of_version_1(content: bytes) -> bytes:
    """As it was written before keys had names: one chunk."""
    header = b"VVF1" + bytes(range(32))
    key = HKDF(SHA256(), 32, header[4:], b"vivero file" + ID.encode()).derive(KEY)
    return header + AESGCM(key).encrypt(bytes(11) + b"\x01", content, header)


def test_a_file_of_version_1_is_still_opened() -> None:
    stored = of_version_1(b"content")
    assert len(stored) == sealed_size(7)
    assert opened(stored) == b"content"
    assert opened_part(stored, range(2, 5), 7) == b"nte"
    with pytest.raises(SealBrokenError):
        opened(stored, key=bytes(32))


@given(st.binary(max_size=300), st.data())
@settings(max_examples=50)
def test_any_changed_byte_is_noticed(content: bytes, data: st.DataObject) -> None:
    stored = bytearray(sealed(content))
    place = data.draw(st.integers(0, len(stored) - 1))
    stored[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SealBrokenError):
        opened(bytes(stored))


@given(st.binary(max_size=2 * CHUNK), st.integers(1, 1000))
@settings(max_examples=20)
def test_a_source_may_return_less_than_asked(content: bytes, step: int) -> None:
    source = io.BytesIO(content)
    stored = b"".join(seal(lambda size: source.read(min(size, step)), KEY, ID))
    stream = io.BytesIO(stored)
    assert b"".join(unseal(lambda size: stream.read(min(size, step)), KEY, ID)) == content


EDGES = st.sampled_from([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK]) | st.integers(0, 3 * CHUNK + 7)


@given(st.sampled_from(SIZES[1:]), EDGES, EDGES)
@settings(max_examples=60)
def test_any_part_is_what_was_there(size: int, one: int, other: int) -> None:
    start, stop = min(one, other), min(max(one, other) + 1, size)
    if start >= stop:
        return
    content = content_of(size)
    assert opened_part(sealed(content), range(start, stop), size) == content[start:stop]


@given(st.sampled_from(SIZES[1:]), EDGES)
@settings(max_examples=30)
def test_a_part_asks_for_no_more_than_its_chunks(size: int, place: int) -> None:
    place = min(place, size - 1)
    span = sealed_part(range(place, place + 1), size)
    assert len(span) <= CHUNK + TAG
    assert HEADER <= span.start < span.stop <= sealed_size(size)


def test_a_part_that_was_changed_moved_or_is_of_another_file_is_noticed() -> None:
    size, step = 3 * CHUNK, CHUNK + TAG
    stored, other = sealed(content_of(size)), sealed(content_of(size))
    first, second, last = (stored[at : at + step] for at in range(HEADER, len(stored), step))
    changed = bytes([second[0] ^ 1]) + second[1:]
    for middle in (first, last, changed, other[HEADER + step : HEADER + 2 * step], second[:-1], b""):
        with pytest.raises(SealBrokenError):
            opened_part(stored[:HEADER] + first + middle + last, range(CHUNK, CHUNK + 10), size)


def test_a_file_that_was_cut_to_look_whole_opens_no_part_of_its_end() -> None:
    stored = sealed(content_of(3 * CHUNK))
    with pytest.raises(SealBrokenError):
        opened_part(stored[: sealed_size(2 * CHUNK)], range(2 * CHUNK - 1, 2 * CHUNK), 2 * CHUNK)
