"""Proof of work: replayed, forged, late and cheap proofs; who needs one."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.counting import Time, limiter_on
from unit.control_plane.builders import NOW
from vivero_control.domain.signups.work import GOOD_FOR, HIGHEST, Challenge, Work, WorkRequiredError, challenge, solved

KEY, OTHER = b"k" * 32, b"o" * 32
NUMBERS = st.integers(0, 300)


def proof(one: Challenge, number: int, /, **changed: Any) -> str:  # noqa: ANN401  whatever a stranger sends
    said = {
        "algorithm": one.algorithm,
        "challenge": one.challenge,
        "number": number,
        "salt": one.salt,
        "signature": one.signature,
    }
    return base64.b64encode(json.dumps(said | changed).encode()).decode()


def count_up(one: Challenge) -> int:
    """As a browser does."""
    return next(number for number in range(HIGHEST) if solved(KEY, proof(one, number), NOW))


@given(NUMBERS, NUMBERS)
def test_the_one_number_solves_it(secret: int, guess: int) -> None:
    one = challenge(KEY, NOW, secret)
    assert (solved(KEY, proof(one, guess), NOW) == one.challenge) is (guess == secret)


@given(NUMBERS, st.timedeltas(timedelta(days=-2), timedelta(days=2)))
def test_it_is_good_for_some_minutes(number: int, later: timedelta) -> None:
    found = solved(KEY, proof(challenge(KEY, NOW, number), number), NOW + later)
    assert (found is not None) is (later < GOOD_FOR)


@given(NUMBERS, st.sampled_from(["challenge", "salt", "signature", "algorithm", "number"]), st.text() | st.integers())
def test_a_changed_part_is_refused(number: int, part: str, value: object) -> None:
    one = challenge(KEY, NOW, number)
    changed = proof(one, number, **{part: value})
    assert solved(KEY, changed, NOW) is None or changed == proof(one, number)


@given(NUMBERS)
def test_nobody_makes_a_challenge_of_their_own(number: int) -> None:
    own = challenge(OTHER, NOW, number)
    assert solved(KEY, proof(own, number), NOW) is None


@given(st.integers(0, 9), st.integers(1, 9))
def test_no_digit_moves_between_salt_and_number(first: int, second: int) -> None:
    """Otherwise the time until which it is good would grow by what the number loses."""
    one = challenge(KEY, NOW, first * 10 + second)
    moved = proof(one, second, salt=f"{one.salt}{first}")
    assert solved(KEY, moved, NOW + GOOD_FOR) is None
    assert solved(KEY, moved, NOW) is None


@given(st.text() | st.binary().map(lambda raw: base64.b64encode(raw).decode()))
def test_whatever_is_sent_is_no_error(sent: str) -> None:
    assert solved(KEY, sent, NOW) is None


async def test_after_some_tries_a_network_needs_a_proof_for_each() -> None:
    work = Work(KEY, limiter_on(Time()), 2, lambda: NOW)
    for _ in range(2):
        await work.require("", "192.0.2.1")
    for sent in ("", "AAAA"):
        with pytest.raises(WorkRequiredError):
            await work.require(sent, "192.0.2.1")
    await work.require("", "198.51.100.7")

    one = challenge(KEY, NOW, 41)
    good = proof(one, count_up(one))
    await work.require(good, "192.0.2.1")
    with pytest.raises(WorkRequiredError):
        await work.require(good, "192.0.2.1")
    with pytest.raises(WorkRequiredError):
        await work.require(proof(work.challenge(), HIGHEST), "192.0.2.1")
