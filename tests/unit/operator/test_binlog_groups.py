"""The binary log is cut into groups of one owner each; what belongs to more, or is not understood, stops it."""

import io
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.operator import binlog
from vivero_core.model import naming
from vivero_operator.archiver.bodies import Gtid
from vivero_operator.archiver.events import BinlogError, DamagedEventError, Type, UnknownEventError
from vivero_operator.archiver.groups import SPOOL_BYTES, Group, MixedGroupError, Splitter
from vivero_operator.archiver.logfile import events_of_file, file_of
from vivero_operator.archiver.tokens import StatementError

IDS = ("aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc")
ONE, TWO = (naming.database_name(ident) for ident in IDS[:2])
ONE_AUDIT = naming.audit_database_name(IDS[0])
NOW = 2_000_000_000


def cut(*raws: bytes, splitter: Splitter | None = None, received: int = NOW) -> list[Group]:
    splitter = splitter or Splitter(naming.tenant_of_database)
    return [group for raw in raws if (group := splitter.feed(binlog.event(raw), received)) is not None]


def owned(groups: list[Group]) -> list[tuple[str, int, list[bytes]]]:
    found = [(group.owner, group.gtid.sequence, list(group.events())) for group in groups]
    for group in groups:
        group.close()
    return found


def test_a_transaction_of_a_tenant_touches_both_its_schemas() -> None:
    events = binlog.transaction(5, ONE, ONE_AUDIT)
    assert owned(cut(*events)) == [(IDS[0], 5, events)]


def test_tables_that_take_the_place_of_others_are_their_tenants() -> None:
    upcoming, last = naming.next_database_name(IDS[0]), naming.last_database_name(IDS[0])
    events = binlog.statement(5, f"RENAME TABLE `{ONE}`.`t` TO `{last}`.`t`, `{upcoming}`.`t` TO `{ONE}`.`t`", "")
    assert owned(cut(*events)) == [(IDS[0], 5, events)]


def test_a_statement_is_a_group_with_the_values_before_it() -> None:
    begin, change = binlog.statement(6, f"CREATE TABLE {TWO}.t (a int)", ONE)
    value = binlog.made(Type.INTVAR, bytes(9))
    assert owned(cut(begin, value, change)) == [(IDS[1], 6, [begin, value, change])]


def test_a_table_made_from_a_query_is_one_group_with_its_rows() -> None:
    create = binlog.query("CREATE TABLE t (a int)", ONE)
    events = [binlog.gtid(6, binlog.DDL), create, binlog.table_map(ONE), binlog.rows(), binlog.xid()]
    assert owned(cut(*events)) == [(IDS[0], 6, events)]


@pytest.mark.parametrize("end", ["COMMIT", "ROLLBACK"])
def test_a_transaction_without_a_transactional_engine(end: str) -> None:
    changes = [binlog.query("SAVEPOINT a"), binlog.table_map(ONE), binlog.rows(), binlog.query("ROLLBACK TO a")]
    events = [binlog.gtid(6), *changes, binlog.query(end)]
    assert owned(cut(*events)) == [(IDS[0], 6, events)]


def test_what_is_nobodys_is_dropped_and_counts_as_read() -> None:
    splitter = Splitter(naming.tenant_of_database)
    groups = cut(
        binlog.description(created=1),
        binlog.made(Type.GTID_LIST, bytes(4)),
        *binlog.transaction(1, "mysql"),
        *binlog.statement(2, f"GRANT ALL ON {ONE}.* TO a"),
        *binlog.statement(3, "CREATE TABLE t (a int)", "vivero_control"),
        binlog.made(77, flags=binlog.IGNORABLE),
        binlog.made(Type.HEARTBEAT),
        splitter=splitter,
    )
    assert groups == []
    assert splitter.position == {0: Gtid(0, binlog.SERVER_ID, 3)}
    assert splitter.between


@pytest.mark.parametrize(
    "events",
    [
        binlog.transaction(1, ONE, TWO),
        binlog.transaction(1, ONE, "vivero_control"),
        binlog.transaction(1, "mysql", ONE),
        binlog.statement(1, f"RENAME TABLE {ONE}.t TO {TWO}.t"),
        binlog.statement(1, f"RENAME TABLE {ONE}.t TO t", "mysql"),
        binlog.statement(1, f"RENAME TABLE {ONE}.t TO {naming.last_database_name(IDS[1])}.t"),
        binlog.statement(1, f"CREATE TABLE {ONE}.t (a int references {TWO}.t (a))"),
    ],
)
def test_a_group_of_two_owners_is_an_error(events: list[bytes]) -> None:
    with pytest.raises(MixedGroupError, match="0-7-1 belongs to more than one owner"):
        cut(*events)


def test_a_body_may_use_the_name_of_another_tenants_schema() -> None:
    """Else any tenant could stop the archive of all."""
    events = binlog.statement(1, f"CREATE FUNCTION f() RETURNS int RETURN {TWO}.a", ONE)
    assert owned(cut(*events)) == [(IDS[0], 1, events)]


def test_two_statements_of_the_same_tenant_in_another_default_schema() -> None:
    events = [*binlog.statement(1, f"CREATE TABLE {ONE}.t (a int)", TWO), *binlog.statement(2, "DROP TABLE t", TWO)]
    assert [owner for owner, *_ in owned(cut(*events))] == [IDS[0], IDS[1]]


@pytest.mark.parametrize(
    ("events", "error"),
    [
        ([binlog.xid()], UnknownEventError),
        ([binlog.table_map(ONE)], UnknownEventError),
        ([binlog.gtid(1), binlog.gtid(2)], UnknownEventError),
        ([binlog.gtid(1), binlog.rows()], DamagedEventError),
        ([binlog.gtid(1), binlog.table_map(ONE, 5), binlog.rows(6)], DamagedEventError),
        ([binlog.gtid(1), binlog.query("BEGIN")], UnknownEventError),
        ([binlog.gtid(1), binlog.query("INSERT INTO t VALUES (1)", ONE)], StatementError),
        ([binlog.gtid(1), binlog.description()], UnknownEventError),
        ([binlog.gtid(1), binlog.description(created=9, flags=binlog.SHIPPED)], UnknownEventError),
        ([binlog.gtid(1, binlog.STANDALONE), binlog.table_map(ONE)], UnknownEventError),
        ([binlog.gtid(1, binlog.STANDALONE), binlog.xid()], UnknownEventError),
        ([binlog.gtid(1, binlog.COMPLETED, xid=b"x")], MixedGroupError),
        ([binlog.gtid(1), binlog.made(Type.QUERY, b"short")], DamagedEventError),
    ],
)
def test_what_is_no_group_is_an_error(events: list[bytes], error: type[BinlogError]) -> None:
    with pytest.raises(error):
        cut(*events)


def test_rows_that_only_end_a_statement_have_no_table() -> None:
    events = [binlog.gtid(1), binlog.table_map(ONE, 5), binlog.rows(5), binlog.rows(0xFFFFFF), binlog.xid()]
    assert len(owned(cut(*events))) == 1


def test_a_server_that_crashed_in_a_group_has_rolled_it_back(caplog: pytest.LogCaptureFixture) -> None:
    splitter = Splitter(naming.tenant_of_database)
    cut(*binlog.transaction(1, ONE)[:-1], binlog.made(Type.ROTATE, bytes(8), flags=binlog.SHIPPED), splitter=splitter)
    assert not splitter.between
    groups = cut(binlog.description(created=9), *binlog.transaction(1, TWO), splitter=splitter)
    assert [owner for owner, *_ in owned(groups)] == [IDS[1]]
    assert "0-7-1" in caplog.text


def test_the_end_of_an_xa_transaction_belongs_to_whoever_prepared_it() -> None:
    splitter = Splitter(naming.tenant_of_database)
    prepared = [
        *(binlog.gtid(1, binlog.PREPARED, xid=b"x"), binlog.table_map(ONE), binlog.rows()),
        *(binlog.query("XA END X'78'"), binlog.made(Type.XA_PREPARE, bytes(14))),
    ]
    (group,) = cut(*prepared, splitter=splitter)
    assert group.owner == IDS[0]
    assert list(splitter.prepared.values()) == [IDS[0]]
    begin = binlog.gtid(2, binlog.COMPLETED, xid=b"x")
    # A program that was started anew goes on with what the other one knew.
    other = Splitter(naming.tenant_of_database)
    other.prepared.update(splitter.prepared)
    ended = [begin, binlog.query("XA COMMIT X'78'")]
    assert owned(cut(*ended, splitter=other)) == [(IDS[0], 2, ended)]
    assert not other.prepared
    group.close()


def test_when_a_group_was_committed() -> None:
    late = [binlog.gtid(1, at=100), binlog.table_map(ONE, at=100), binlog.rows(at=100), binlog.xid(at=130)]
    long = [binlog.gtid(2, binlog.STANDALONE, at=140), binlog.query("DROP TABLE t", ONE, at=140, seconds=20)]
    # Its session has set TIMESTAMP.
    future = [binlog.gtid(3, at=NOW), binlog.table_map(ONE, at=NOW), binlog.rows(at=NOW), binlog.xid(at=NOW)]
    groups = cut(*late, *long, *future, received=170)
    assert [(group.committed_from, group.committed_by) for group in groups] == [(130, 170), (160, 170), (170, 170)]
    owned(groups)


def test_a_large_transaction_is_not_in_memory() -> None:
    splitter, part, parts = Splitter(naming.tenant_of_database), SPOOL_BYTES // 8, 160
    tracemalloc.start()
    try:
        cut(binlog.gtid(1), binlog.table_map(ONE), splitter=splitter)
        for number in range(parts):
            cut(binlog.rows(content=number.to_bytes(2, "big") + bytes(part)), splitter=splitter)
        (group,) = cut(binlog.xid(), splitter=splitter)
        assert group.size > parts * part
        assert sum(1 for _ in group.events()) == parts + 3
        group.close()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 4 * SPOOL_BYTES < parts * part


GROUPS = st.lists(
    st.tuples(
        st.sampled_from([*IDS, None]),
        st.sampled_from(["transaction", "statement"]),
        st.booleans(),
    ),
    max_size=20,
)


@given(GROUPS)
def test_every_group_goes_to_its_owner_in_order_and_nothing_else_does(plan: list[tuple[str | None, str, bool]]) -> None:
    expected: dict[str, list[bytes]] = {}
    raws = [binlog.description()]
    for number, (ident, sort, audit) in enumerate(plan, 1):
        schema = (naming.audit_database_name(ident) if audit else naming.database_name(ident)) if ident else "mysql"
        elsewhere = naming.database_name(IDS[number % len(IDS)])
        events = (
            binlog.transaction(number, schema)
            if sort == "transaction"
            else binlog.statement(number, f"ALTER TABLE `{schema}`.t ADD x int", elsewhere)
        )
        raws += events
        if ident:
            expected.setdefault(ident, []).extend(events)
    groups = cut(*raws)
    for ident in IDS:
        own = [raw for group in groups if group.owner == ident for raw in group.events()]
        assert own == expected.get(ident, [])
        written = b"".join(file_of(binlog.event(raws[0]), own))
        assert [event.raw for event in events_of_file(io.BytesIO(written).read)] == [raws[0], *own]
    owned(groups)
