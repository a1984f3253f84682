import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from vivero_core.model import naming

UID = "2f6f1c0e-6a43-4f6e-9a86-0f6d5a8a7b11"

uids = st.uuids().map(str)


@given(uids)
def test_ids_are_stable_and_well_formed(uid: str) -> None:
    ident = naming.tenant_id(uid)
    assert ident == naming.tenant_id(uid)
    assert re.fullmatch(naming.TENANT_ID_PATTERN, ident)


@given(st.sets(uids, min_size=2, max_size=200))
def test_ids_differ(some: set[str]) -> None:
    assert len({naming.tenant_id(uid) for uid in some}) == len(some)


@given(uids)
def test_backend_names_hold_no_wildcard_and_fit(uid: str) -> None:
    ident = naming.tenant_id(uid)
    names = [
        *naming.database_names(ident),
        *naming.database_users(ident),
        naming.loading_user(ident),
        naming.bucket_name(ident),
        naming.cache_user(ident),
        naming.namespace_name(ident),
    ]
    for name in names:
        assert re.fullmatch(r"[a-z0-9-]{3,32}", name)
    assert naming.cache_prefix(ident).endswith(":")


@given(st.sets(uids, min_size=2, max_size=20), st.text(max_size=20))
def test_a_schema_is_of_one_tenant_and_says_which(some: set[str], text: str) -> None:
    idents = {naming.tenant_id(uid) for uid in some}
    made = {name: ident for ident in idents for name in naming.database_names(ident)}
    assert len(made) == 6 * len(idents)
    assert {name: naming.tenant_of_database(name) for name in made} == made
    assert naming.tenant_of_database(text) is None
    for name, ident in made.items():
        assert {naming.tenant_of_database(name + text), naming.tenant_of_database(text + name)} <= {None, ident}


@pytest.mark.parametrize(
    "hostile", ["", "abc", "ABCDEFGHIJ", "abcdefghi1", "abcdefghi\n", "abcdefghij\n", "`drop`data", "../../../.."]
)
def test_a_malformed_id_never_becomes_a_name(hostile: str) -> None:
    for build in (
        naming.database_name,
        naming.audit_database_name,
        naming.next_database_name,
        naming.last_database_name,
        naming.loading_user,
        naming.database_users,
        naming.bucket_name,
        naming.cache_user,
        naming.cache_prefix,
        naming.namespace_name,
    ):
        with pytest.raises(ValueError, match="not a tenant id"):
            build(hostile)


@given(st.text(max_size=200))
@example("")
@example("株式会社")
@example("Robert'); DROP TABLE tenants;--")
@example("`_ % * ../../etc/passwd")
@example("\u202eevil\u200d")
@example("🎉🎉🎉")
@example("ß" * 200)
@example("admin")
@example("w")
@example("1&1")
@example("a" * 39 + "-b")
@example("- - -")
def test_slugify_always_gives_a_valid_slug(name: str) -> None:
    assert naming.slug_problem(naming.slugify(name)) is None


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Acme GmbH", "acme-gmbh"),
        ("Müller & Söhne", "muller-and-sohne"),
        ("Straße 7", "strasse-7"),
        ("Łódź", "lodz"),
        ("3M", "w-3m"),
        ("API", "api-workspace"),
        ("株式会社", "workspace"),
        ("  --x--  ", "x-workspace"),
    ],
)
def test_slugify_reads_well(name: str, slug: str) -> None:
    assert naming.slugify(name) == slug


@given(st.from_regex(naming.SLUG_PATTERN, fullmatch=True))
def test_a_valid_slug_stays_itself(slug: str) -> None:
    if naming.slug_problem(slug) is None:
        assert naming.slugify(slug) == slug


@pytest.mark.parametrize(
    "slug",
    ["", "ab", "a" * 41, "Acme", "1acme", "acme-", "-acme", "a--b", "acme\n", "ac me", "ac_me", "ac%me", "äcme", "www"],
)
def test_bad_slugs_are_named(slug: str) -> None:
    problem = naming.slug_problem(slug)
    assert problem is not None
    assert problem.endswith(".")


@pytest.mark.parametrize("host", ["app.example.com", "a.b", "x-1.example.org"])
def test_hosts(host: str) -> None:
    assert naming.is_host(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "example",
        "-a.com",
        "a.com.",
        "A.com",
        "1.2.3.4",
        "a..b",
        "*.a.com",
        "a.com\n",
        f"{'a.' * 130}com",
        "a_b.com",
    ],
)
def test_what_is_no_host(host: str) -> None:
    assert not naming.is_host(host)
