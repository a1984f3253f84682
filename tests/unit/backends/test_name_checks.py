from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vivero_core.backends import name_checks
from vivero_core.errors import InvalidNameError, ViveroError

IDS = st.text(alphabet="abcdefghijklmnopqrstuvwxyz234567", min_size=10, max_size=10)
CHECKS = [
    name_checks.database,
    name_checks.schema,
    name_checks.audit_database,
    name_checks.next_database,
    name_checks.last_database,
    name_checks.loading_user,
    name_checks.viewing_user,
    name_checks.database_user,
    name_checks.cache_user,
    name_checks.bucket,
]


@given(IDS)
def test_names_made_from_an_id_pass(ident: str) -> None:
    assert name_checks.database(f"vt{ident}") == f"vt{ident}"
    own = (f"vt{ident}", f"vt{ident}audit", f"vt{ident}next", f"vt{ident}last")
    names = (*own, f"vt{ident}asof", f"vt{ident}asofaudit")
    assert tuple(name_checks.schema(name) for name in names) == names == name_checks.schemas(f"vt{ident}")
    checks = (name_checks.audit_database, name_checks.next_database, name_checks.last_database)
    assert tuple(check(f"vt{ident}") for check in checks) == own[1:]
    assert name_checks.as_of_databases(f"vt{ident}") == names[4:]
    assert name_checks.database_user(name_checks.viewing_user(f"vt{ident}")) == f"vt{ident}v"
    assert name_checks.database_user(name_checks.loading_user(f"vt{ident}")) == f"vt{ident}r"
    assert name_checks.cache_user(f"vt{ident}") == f"vt{ident}"
    assert name_checks.database_user(f"vt{ident}a") == f"vt{ident}a"
    assert name_checks.database_user(f"vt{ident}b") == f"vt{ident}b"
    assert name_checks.bucket(f"vivero-{ident}") == f"vivero-{ident}"


@pytest.mark.parametrize("check", CHECKS)
@given(text=st.text(max_size=30))
def test_no_other_text_passes(check: Callable[[str], str], text: str) -> None:
    with pytest.raises(InvalidNameError):
        check(text)


@pytest.mark.parametrize("check", CHECKS)
@given(
    ident=IDS,
    position=st.integers(0, 18),
    sign=st.sampled_from(list("`'\"_%*?./\\ \n\0-;:ßA18\N{RIGHT-TO-LEFT OVERRIDE}")),
)
def test_one_sign_too_many_is_refused(check: Callable[[str], str], ident: str, position: int, sign: str) -> None:
    for name in (f"vt{ident}", f"vt{ident}a", f"vt{ident}audit", f"vivero-{ident}"):
        with pytest.raises(InvalidNameError):
            check(name[:position] + sign + name[position:])


def test_a_refusal_is_a_value_error_of_ours_and_quotes_little() -> None:
    with pytest.raises(ViveroError) as caught:
        name_checks.database("x" * 5000)
    assert isinstance(caught.value, ValueError)
    assert len(str(caught.value)) < 100


@pytest.mark.parametrize(
    "check", [name_checks.database, name_checks.audit_database, name_checks.database_user, name_checks.cache_user]
)
@pytest.mark.parametrize("schema", ["vtaaaaaaaaaaaudit", "vtaaaaaaaaaanext", "vtaaaaaaaaaalast"])
def test_a_schema_beside_the_live_one_is_not_the_tenants_own(check: Callable[[str], str], schema: str) -> None:
    with pytest.raises(InvalidNameError):
        check(schema)


def test_the_servers_own_schemas_are_no_tenants() -> None:
    for name in ("mysql", "information_schema", "vivero_control", "vt", "vtaaaaaaaaaaa"):
        with pytest.raises(InvalidNameError):
            name_checks.database(name)
