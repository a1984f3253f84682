import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from vivero_core.backends.mariadb import audit, statements
from vivero_core.errors import InvalidNameError

DATABASE, USER = "vtaaaaaaaaaa", "vtaaaaaaaaaaa"
HASH = "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19"  # SELECT PASSWORD('password')


def test_the_hash_is_the_servers() -> None:
    assert statements.native_hash("password") == HASH


@given(st.text())
def test_no_password_is_ever_in_a_statement_or_its_parameters(password: str) -> None:
    sql, parameters = statements.write_user(USER, password, 20, exists=False)
    assert parameters == (statements.native_hash(password), 20)
    assert re.fullmatch(r"\*[0-9A-F]{40}", str(parameters[0]))
    assert sql == statements.write_user(USER, "other", 20, exists=False)[0]


def test_a_user_is_changed_in_place_and_has_to_use_tls() -> None:
    created, _ = statements.write_user(USER, "p", 20, exists=False)
    changed, _ = statements.write_user(USER, "p", 20, exists=True)
    assert created.startswith("CREATE USER IF NOT EXISTS `vtaaaaaaaaaaa`@'%%'")
    assert changed.startswith("ALTER USER `vtaaaaaaaaaaa`@'%%'")
    assert "REQUIRE SSL" in created
    assert "REQUIRE SSL" in changed


@pytest.mark.parametrize("limit", [0, -1, 100_001])
def test_a_user_without_a_limit_is_refused(limit: int) -> None:
    with pytest.raises(ValueError, match="max_connections"):
        statements.write_user(USER, "p", limit, exists=True)


def test_a_grant_names_one_schema_and_holds_no_power_over_others() -> None:
    sql, _ = statements.grant(USER, DATABASE)
    assert f" ON `{DATABASE}`.* TO `{USER}`@'%%'" in sql
    for power in ("ALL", "GRANT OPTION", "FILE", "SUPER", "PROCESS", "EVENT", "SET USER"):
        assert power not in sql


@given(st.text(max_size=20))
def test_every_statement_with_a_name_checks_it(name: str) -> None:
    for build in (
        statements.create_database,
        statements.drop_database,
        statements.find_database,
        statements.find_table,
        statements.find_tables,
        statements.set_defaults,
    ):
        with pytest.raises(InvalidNameError):
            build(name)
    for build_for_user in (statements.find_user, statements.show_grants, statements.revoke_all):
        with pytest.raises(InvalidNameError):
            build_for_user(name)
    with pytest.raises(InvalidNameError):
        statements.grant(USER, name)
    with pytest.raises(InvalidNameError):
        statements.grant(name, DATABASE)
    with pytest.raises(InvalidNameError):
        statements.drop_table(name, "t")
    for build_log in (audit.find, audit.was_given, audit.make, audit.wanted_grants):
        with pytest.raises(InvalidNameError):
            build_log(name)
    with pytest.raises(InvalidNameError):
        audit.grant(USER, name)


def test_the_guide_for_hosting_it_yourself_makes_the_same_table() -> None:
    guide = " ".join((Path(__file__).parents[3] / "docs/self-hosting.md").read_text().split())
    table = " ".join(audit.make(DATABASE)[1][0].split()).partition("(")[2]
    assert f"CREATE TABLE IF NOT EXISTS ${{DATABASE}}audit.audit_log ({table};" in guide


def test_all_rights_are_never_given_on_the_schema_of_an_audit_log() -> None:
    with pytest.raises(InvalidNameError):
        statements.grant(USER, f"{DATABASE}audit")


@given(st.text())
def test_a_persons_table_stays_inside_its_quotes(table: str) -> None:
    sql, values = statements.drop_table(DATABASE, table)
    assert re.fullmatch(rf"SET .* FOR DROP TABLE IF EXISTS `{DATABASE}`\.`([^`]|``)*`", sql % values)


def lines(*extra: str) -> list[str]:
    own = ", ".join(sorted(statements.PRIVILEGES, reverse=True))
    return [
        f"GRANT USAGE ON *.* TO `{USER}`@`%` IDENTIFIED BY PASSWORD '{HASH}' REQUIRE SSL WITH MAX_USER_CONNECTIONS 20",
        f"GRANT {own} ON `{DATABASE}`.* TO `{USER}`@`%`",
        f"GRANT SELECT, INSERT ON `{DATABASE}audit`.* TO `{USER}`@`%`",
        *extra,
    ]


def test_wanted_grants_are_recognised_in_any_order() -> None:
    assert statements.grants(lines()) == audit.wanted_grants(DATABASE)
    assert statements.grants(reversed(lines())) == audit.wanted_grants(DATABASE)


@pytest.mark.parametrize(
    "extra",
    [
        f"GRANT SELECT ON *.* TO `{USER}`@`%`",
        f"GRANT SELECT ON `vtbbbbbbbbbb`.* TO `{USER}`@`%`",
        f"GRANT SELECT ON `{DATABASE}`.* TO `{USER}`@`%` WITH GRANT OPTION",
        f"GRANT DELETE ON `{DATABASE}audit`.* TO `{USER}`@`%`",
        f"GRANT SELECT ON `{DATABASE}audit`.`audit_log` TO `{USER}`@`%`",
        f"GRANT EXECUTE ON PROCEDURE `x`.`y` TO `{USER}`@`%`",
        f"GRANT `some_role` TO `{USER}`@`%`",
    ],
)
def test_each_right_too_many_shows(extra: str) -> None:
    assert statements.grants(lines(extra)) != audit.wanted_grants(DATABASE)


def test_a_missing_right_shows() -> None:
    for count in range(3):
        assert statements.grants(lines()[:count]) != audit.wanted_grants(DATABASE)


def test_what_releases_without_an_audit_schema_gave_is_known_to_the_letter() -> None:
    assert statements.grants(lines()[:2]) == statements.own_grants(DATABASE)


def test_what_releases_without_routines_gave_is_known_to_the_letter() -> None:
    given = audit.former_grants(DATABASE)
    left = {
        scope: wanted - given[scope]
        for scope, wanted in audit.wanted_grants(DATABASE).items()
        if wanted != given[scope]
    }
    assert left == {f"`{DATABASE}`.*": {"CREATE ROUTINE", "ALTER ROUTINE", "EXECUTE"}}


def test_a_log_is_added_to_and_read() -> None:
    sql, _ = audit.grant(USER, DATABASE)
    assert sql == f"GRANT INSERT, SELECT ON `{DATABASE}audit`.* TO `{USER}`@'%%'"
    assert all(f"`{DATABASE}audit`" in statement for statement, _ in audit.make(DATABASE))
