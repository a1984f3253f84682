from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vivero_dev.native.files import write_private, write_public
from vivero_dev.store import Store, content_hash, tree_hash


def test_an_entry_is_made_once(tmp_path: Path) -> None:
    store, made = Store(tmp_path), []

    def make(target: Path) -> None:
        made.append(target)
        (target / "program").write_text("x")

    entry = store.entry("tool", "source")
    assert store.ensure(entry, make) == store.ensure(entry, make) == entry
    assert len(made) == 1
    assert (entry / "program").read_text() == "x"


def test_an_interrupted_build_leaves_no_entry_and_starts_from_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    entry = store.entry("tool", "source")

    def fails(target: Path) -> None:
        (target / "half").write_text("x")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.ensure(entry, fails)
    assert not entry.exists()
    store.ensure(entry, lambda target: (target / "whole").touch())
    assert [file.name for file in entry.iterdir()] == ["whole"]


@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_only_the_same_parts_in_the_same_order_hash_alike(one: list[str], other: list[str]) -> None:
    assert (content_hash(tuple(one)) == content_hash(tuple(other))) == (one == other)


def test_a_tree_hash_sees_names_contents_and_modes_but_not_what_is_skipped(tmp_path: Path) -> None:
    file = tmp_path / "a" / "code.py"
    file.parent.mkdir()
    file.write_text("1")
    hashes = {tree_hash(tmp_path)}
    file.write_text("2")
    hashes.add(tree_hash(tmp_path))
    file.chmod(0o755)
    hashes.add(tree_hash(tmp_path))
    file.rename(file.with_name("other.py"))
    last = tree_hash(tmp_path)
    hashes.add(last)
    assert len(hashes) == 4
    (tmp_path / "noise.md").write_text("x")
    assert tree_hash(tmp_path, skip=lambda path: path.suffix == ".md") == last


def test_a_file_is_replaced_only_on_a_difference(tmp_path: Path) -> None:
    file = write_public(tmp_path / "config", "a")
    before = file.stat()
    write_public(file, "a")
    assert file.stat().st_ino == before.st_ino
    write_public(file, "b")
    assert file.read_text() == "b"


def test_a_secret_file_is_its_owners_alone(tmp_path: Path) -> None:
    assert write_private(tmp_path / "key", "s").stat().st_mode & 0o777 == 0o600
