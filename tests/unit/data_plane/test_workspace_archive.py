"""The archive of a workspace: whole and correct however it is cut into pieces, and read in any part."""

import asyncio
import hashlib
import io
import json
import zipfile

from hypothesis import given
from hypothesis import strategies as st
from vivero_data.domain.workspace_exports import service
from vivero_data.domain.workspace_exports.archive import MANIFEST, PIECE, Archive

CONTENTS = st.dictionaries(st.sampled_from(["a.json", "b/ä 一.csv", "c", "d"]), st.tuples(st.binary(), st.booleans()))


async def written(contents: dict[str, tuple[bytes, bool]], piece: int) -> tuple[list[bytes], int]:
    pieces: list[bytes] = []

    async def store(number: int, content: bytes) -> None:
        assert number == len(pieces)
        pieces.append(content)

    archive = Archive(store, piece)
    try:
        for name, (content, packed) in contents.items():
            archive.begin(name, packed=packed)
            await archive.write(content[:7])
            await archive.write(content[7:])
            await archive.end(len(content))
        await archive.finish({"format": 1})
    finally:
        archive.close()
    return pieces, archive.size


@given(CONTENTS, st.integers(1, 700))
def test_the_pieces_are_one_archive_with_a_true_manifest(contents: dict[str, tuple[bytes, bool]], piece: int) -> None:
    pieces, size = asyncio.run(written(contents, piece))
    assert all(len(one) == piece for one in pieces[:-1])
    assert 0 < len(pieces[-1]) <= piece
    assert sum(map(len, pieces)) == size
    with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in contents} == {name: body for name, (body, _) in contents.items()}
        manifest = json.loads(archive.read(MANIFEST))
    assert manifest == {
        "format": 1,
        "members": [
            {"name": name, "size": len(body), "sha256": hashlib.sha256(body).hexdigest(), "count": len(body)}
            for name, (body, _) in contents.items()
        ],
    }


def test_an_archive_that_is_given_up_lets_go_of_what_it_has_open() -> None:
    async def store(_: int, __: bytes) -> None:
        raise ConnectionError

    async def give_up() -> None:
        archive = Archive(store, 10)
        archive.begin("a", packed=False)
        try:
            await archive.write(bytes(100))
        except ConnectionError:
            archive.close()
            return
        raise AssertionError

    asyncio.run(give_up())


@given(st.data())
def test_any_part_is_cut_out_of_the_pieces(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 3 * PIECE + 5))
    start = data.draw(st.integers(0, size - 1))
    wanted = range(start, data.draw(st.integers(start + 1, size)))
    found = [range(number * PIECE + part.start, number * PIECE + part.stop) for number, part in service.cut(wanted)]
    assert found[0].start == wanted.start
    assert found[-1].stop == wanted.stop
    assert all(len(one) > 0 for one in found)
    assert [one.stop for one in found[:-1]] == [one.start for one in found[1:]]
