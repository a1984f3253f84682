"""What both programs have in common of two-step login: recovery codes, and what a page holds between the two steps."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vivero_web.challenges import ChallengeEndedError, Challenges
from vivero_web.sealed import SealedSecrets
from vivero_web.second_factors import RECOVERY_CODES, digest_of_recovery_code, new_recovery_codes

KEY = b"k" * 32
CHALLENGES = Challenges(KEY, "codes")


def test_no_recovery_code_comes_twice() -> None:
    codes = [*new_recovery_codes(), *new_recovery_codes()]
    assert len({digest_of_recovery_code(one) for one in codes}) == 2 * RECOVERY_CODES


@given(st.data())
def test_a_recovery_code_is_the_same_however_it_is_typed(data: st.DataObject) -> None:
    code = new_recovery_codes()[0]
    typed = "".join(
        data.draw(st.sampled_from([sign, sign.upper(), f" {sign}", f"{sign}-"])) for sign in code.replace("-", "")
    )
    assert digest_of_recovery_code(typed) == digest_of_recovery_code(code)


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_challenge_is_about_one_account_and_password(account: str, password_hash: str) -> None:
    read = CHALLENGES.read(CHALLENGES.issue(account, password_hash, datetime.now(UTC)))
    assert read.account == account
    assert read.is_about(password_hash)
    assert not read.is_about(f"{password_hash}x")


def test_a_challenge_is_good_for_ten_minutes_at_one_program() -> None:
    now = datetime.now(UTC)
    fresh, late = (CHALLENGES.issue("1", "hash", now - timedelta(minutes=age)) for age in (9, 11))
    assert CHALLENGES.read(fresh).account == "1"
    for token in (late, "", "x" * 5000, fresh[:-2], Challenges(KEY, "other").issue("1", "hash", now)):
        with pytest.raises(ChallengeEndedError):
            CHALLENGES.read(token)
    with pytest.raises(ChallengeEndedError):
        Challenges(b"x" * 32, "codes").read(fresh)


@given(st.binary(max_size=80), st.one_of(st.integers(), st.uuids().map(str)))
def test_a_sealed_secret_opens_in_its_place_alone(secret: bytes, place: int | str) -> None:
    secrets = SealedSecrets("master", "program", "purpose")
    sealed = secrets.sealed(place, secret)
    assert secret not in sealed or len(secret) < 8
    assert secrets.opened(place, sealed) == secret
    for other in (
        secrets.opened(f"{place}0", sealed),
        *(
            SealedSecrets(*names).opened(place, sealed)
            for names in (
                ("another", "program", "purpose"),
                ("master", "another", "purpose"),
                ("master", "program", "another"),
            )
        ),
    ):
        assert other is None
