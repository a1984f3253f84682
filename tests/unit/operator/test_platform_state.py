"""The platform's state in the bucket: what was written is read, and what was changed, cut or swapped is named."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.operator.test_archive import Bucket, KilledError
from vivero_core.envelope import public_key, seal_for
from vivero_core.model.naming import PLATFORM_ID
from vivero_operator.operations import platform_state, recovery_key
from vivero_operator.operations.errors import DamagedError, RefusedError
from vivero_operator.operations.platform_state import KEPT, Newest, State, key_of
from vivero_operator.operations.streams import Reader, packed

KEY = bytes(range(32))
PUBLIC = public_key(KEY)


class Store(Bucket):
    """With deletions."""

    def delete(self, key: str) -> None:
        self.objects.pop(key, None)


def record(ident: str) -> dict[str, Any]:
    return {"metadata": {"name": f"escrow-{ident}"}, "type": "vivero.dev/escrow", "data": {"sealed": "AAAA"}}


def state(*idents: str, plan: str = "trial") -> State:
    tenants = [{"metadata": {"name": one, "uid": f"uid-{one}"}, "spec": {"plan": plan}} for one in idents]
    return State(
        resources={"Tenant": tenants},
        records=[record(one) for one in idents],
        escrow_keys={"k1": "aa" * 32},
        current_key="k1",
        file_key="bb" * 32,
    )


def write(store: Store, *states: State, before: Newest | None = None) -> Newest:
    for one in states:
        before = platform_state.write(store, one, PUBLIC, before, "2026-11-29T20:00:00+00:00")
        platform_state.drop_before(store, before.oldest)
    assert before is not None
    return before


texts = st.text(max_size=20)
states = st.builds(
    State,
    resources=st.dictionaries(
        st.sampled_from(["Tenant", "Plan"]),
        st.lists(
            st.fixed_dictionaries(
                {"metadata": st.fixed_dictionaries({"name": texts}), "spec": st.dictionaries(texts, texts)}
            ),
            max_size=3,
        ),
    ),
    records=st.lists(st.builds(record, st.from_regex("[a-z2-7]{10}", fullmatch=True)), max_size=3),
    escrow_keys=st.dictionaries(texts, st.just("cd" * 32), max_size=2),
    current_key=texts,
    file_key=st.just("bb" * 32),
)


@given(states)
def test_what_was_written_is_read(one: State) -> None:
    store = Store()
    write(store, one)
    assert platform_state.read(store, KEY) == (1, one)


@given(st.integers(min_value=0), st.booleans())
def test_a_changed_or_cut_state_is_named(at: int, cut: bool) -> None:  # noqa: FBT001  of hypothesis
    store = Store()
    write(store, state("aaaaaaaaaa"))
    body, metadata = store.objects[key_of(1)]
    place = at % len(body)
    damaged = body[:place] if cut else body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
    store.objects[key_of(1)] = (damaged, metadata)
    for number in (None, 1):  # also where nobody compares the hash beside it
        with pytest.raises(DamagedError, match=key_of(1)):
            platform_state.read(store, KEY, number)


def test_a_state_that_is_gone_is_named_and_no_older_one_taken_for_it() -> None:
    store = Store()
    write(store, state("aaaaaaaaaa"), state("aaaaaaaaaa", plan="starter"))
    store.delete(key_of(2))
    with pytest.raises(DamagedError, match=f"{key_of(2)}, state 2, is not in the backup bucket"):
        platform_state.read(store, KEY)
    assert platform_state.read(store, KEY, 1) == (1, state("aaaaaaaaaa"))


def test_an_older_state_does_not_pass_for_the_newest() -> None:
    store = Store()
    write(store, state("aaaaaaaaaa"), state("aaaaaaaaaa", plan="starter"))
    store.objects[key_of(2)] = store.objects[key_of(1)]
    for number in (None, 2):
        with pytest.raises(DamagedError, match=key_of(2)):
            platform_state.read(store, KEY, number)


def test_without_a_state_or_what_names_it_nothing_is_guessed() -> None:
    store = Store()
    with pytest.raises(RefusedError, match="has no platform/newest"):
        platform_state.read(store, KEY)
    write(store, state("aaaaaaaaaa"))
    store.put_whole("platform/newest", b'{"number": 1}', {})
    with pytest.raises(DamagedError, match="platform/newest cannot be read"):
        platform_state.read(store, KEY)


def test_another_recovery_key_is_told_by_both_public_halves() -> None:
    store, other = Store(), bytes(32)
    write(store, state("aaaaaaaaaa"))
    with pytest.raises(RefusedError, match=f"{PUBLIC.hex()}, and this is the one of {public_key(other).hex()}"):
        platform_state.read(store, other)
    with pytest.raises(DamagedError, match="sealed for another recovery key"):
        platform_state.read(store, other, 1)


@pytest.mark.parametrize("told", [{"format": 2}, {}])
def test_a_newer_format_is_refused(told: dict[str, Any]) -> None:
    store = Store()
    text = json.dumps(told).encode()
    sealed = b"".join(seal_for(Reader(packed([text])).read, PUBLIC, f"{PLATFORM_ID} state 7"))
    store.put_whole(key_of(7), sealed, {})
    with pytest.raises(RefusedError, match=f"has the format {told.get('format')}, and this release reads 1"):
        platform_state.read(store, KEY, 7)


def test_what_has_the_format_and_not_the_structure_is_damaged() -> None:
    store = Store()
    sealed = b"".join(seal_for(Reader(packed([b'{"format": 1}'])).read, PUBLIC, f"{PLATFORM_ID} state 7"))
    store.put_whole(key_of(7), sealed, {})
    with pytest.raises(DamagedError, match="does not hold a platform's state"):
        platform_state.read(store, KEY, 7)


def test_nothing_of_it_is_in_plain_text() -> None:
    store = Store()
    write(store, state("aaaaaaaaaa"))
    body, _ = store.objects[key_of(1)]
    assert b"aaaaaaaaaa" not in body
    newest, _ = store.objects["platform/newest"]
    assert b"aa" * 32 not in newest
    assert b"bb" * 32 not in newest


def test_the_last_ones_are_kept() -> None:
    store = Store()
    newest = write(store, *(state("aaaaaaaaaa", plan=f"p{number}") for number in range(KEPT + 5)))
    assert platform_state.numbers(store) == list(range(newest.number, newest.number - KEPT - 1, -1))


def test_no_state_from_before_an_erasure_is_kept() -> None:
    store = Store()
    newest = write(store, state("aaaaaaaaaa", "bbbbbbbbbb"), state("aaaaaaaaaa"))
    assert platform_state.numbers(store) == [2]
    assert write(store, state("aaaaaaaaaa", plan="starter"), before=newest).oldest == newest.number


def test_whoever_is_killed_before_it_is_named_leaves_the_state_before() -> None:
    store = Store()
    first = write(store, state("aaaaaaaaaa"))
    store.kill_in = 1
    with pytest.raises(KilledError):
        platform_state.write(store, state("bbbbbbbbbb"), PUBLIC, first, "2026-11-29T20:00:00+00:00")
    store.kill_in = None
    assert platform_state.read(store, KEY) == (1, state("aaaaaaaaaa"))
    write(store, state("cccccccccc"), before=first)
    assert platform_state.read(store, KEY) == (2, state("cccccccccc"))


def test_only_a_change_that_lasts_is_one() -> None:
    one = state("aaaaaaaaaa")
    proven = {"Tenant": [one.resources["Tenant"][0] | {"status": {"provenAt": "2026-11-29T20:00:00Z"}}]}
    later = {"Tenant": [one.resources["Tenant"][0] | {"status": {"provenAt": "2026-11-29T21:00:00Z"}}]}
    assert replace(one, resources=proven).digest() == replace(one, resources=later).digest()
    others = (state("aaaaaaaaaa", plan="x"), replace(one, file_key="cc" * 32), replace(one, resources=proven))
    assert len({one.digest(), *(other.digest() for other in others)}) == 4


def test_a_pair_is_made(capsys: pytest.CaptureFixture[str]) -> None:
    recovery_key.main()
    private, public = capsys.readouterr().out.split()
    assert public_key(bytes.fromhex(private)).hex() == public
