"""What the program of a TenantProof decides: what two dumps have in common, and from where the log leads to a transaction."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.operator.test_archive import BEGIN, IDS, KEYS, SERVER, Bucket, expected, follow, log_of
from vivero_operator.archiver.position import Gap, Positions
from vivero_operator.operations import dumps, proof
from vivero_operator.operations.errors import RefusedError, StepFailedError
from vivero_operator.operations.history import Base, History

SCHEMAS = ("vta", "vtaaudit")
DUMP = b"""\
-- MariaDB dump
/*!40101 SET NAMES utf8mb4 */;
USE `vta`;
-- Table structure for table `c_1`
DROP TABLE IF EXISTS `c_1`;
CREATE TABLE `c_1` (
  `a` int
) AUTO_INCREMENT=7;
INSERT INTO `c_1` VALUES
(1,'-- Table structure for table `x`'),
(2,'x');
-- Table structure for table `c_2`
CREATE TABLE `c_2` (
  `b` text
);
USE `vtaaudit`;
-- Table structure for table `c_1`
CREATE TABLE `c_1` (
  `said` text
);
INSERT INTO `c_1` VALUES
('begun');
-- SET GLOBAL gtid_slave_pos='1-1-7';
-- Dump completed
"""


class TestContents:
    def test_it_is_told_table_by_table(self) -> None:
        found = dumps.contents([DUMP], SCHEMAS)
        assert set(found.tables) == {"vta.c_1", "vta.c_2", "vtaaudit.c_1"}
        assert found.gtid == "1-1-7"
        assert dumps.differences(found, found) == []

    @given(st.lists(st.integers(0, len(DUMP)), max_size=8))
    def test_however_it_is_cut_into_pieces(self, cuts: list[int]) -> None:
        ends = sorted({0, *cuts, len(DUMP)})
        pieces = [DUMP[begin:end] for begin, end in itertools.pairwise(ends)]
        assert dumps.contents(pieces, SCHEMAS) == dumps.contents([DUMP], SCHEMAS)

    @pytest.mark.parametrize(
        ("old", "new", "found"),
        [
            (b"(2,'x')", b"(2,'y')", ["vta.c_1 (rows)"]),
            (b"`a` int", b"`a` bigint", ["vta.c_1 (definition)"]),
            (b"'begun'", b"'ended'", ["vtaaudit.c_1 (rows)"]),
            (b"`c_2`", b"`c_3`", ["vta.c_2 (not archived)", "vta.c_3 (only archived)"]),
            (b"AUTO_INCREMENT=7", b"AUTO_INCREMENT=9", []),
            (b"1-1-7", b"1-1-8", []),
        ],
    )
    def test_what_is_not_the_same(self, old: bytes, new: bytes, found: list[str]) -> None:
        live, archived = dumps.contents([DUMP], SCHEMAS), dumps.contents([DUMP.replace(old, new)], SCHEMAS)
        assert dumps.differences(live, archived) == found

    def test_rows_of_one_table_do_not_pass_for_those_of_another(self) -> None:
        moved = DUMP.replace(b"INSERT INTO `c_1` VALUES\n('begun');\n", b"").replace(
            b"USE `vtaaudit`", b"INSERT INTO `c_2` VALUES\n('begun');\nUSE `vtaaudit`"
        )
        found = dumps.differences(dumps.contents([DUMP], SCHEMAS), dumps.contents([moved], SCHEMAS))
        assert found == ["vta.c_2 (rows)", "vtaaudit.c_1 (rows)"]

    def test_a_dump_without_its_end_is_none(self) -> None:
        with pytest.raises(StepFailedError, match="without its trailer"):
            dumps.contents([DUMP.replace(dumps.TRAILER, b"--")], SCHEMAS)


class TestBeginnings:
    BASES = (Base("early", BEGIN + 1, "0-7-2"), Base("late", BEGIN + 9, "0-7-4"))

    def made(self, *owners: str | None) -> tuple[Bucket, History]:
        bucket = Bucket()
        follow(log_of(*owners), bucket)
        return bucket, History(bucket.store, IDS[0], SERVER, KEYS[IDS[0]])

    def test_bases_before_it_and_the_first_transaction(self) -> None:
        _, history = self.made(IDS[0], IDS[1], IDS[0], IDS[0])
        early, late = self.BASES
        assert history.beginnings("0-7-4", [early, late]) == [early, late, None]
        assert history.beginnings("0-7-3", [early, late]) == [early, None]

    def test_what_is_before_a_gap_leads_nowhere(self) -> None:
        bucket, history = self.made(IDS[0], IDS[0], IDS[0], IDS[0])
        early, late = self.BASES
        Positions(bucket.store, SERVER).add_gap(Gap("0-7-2", BEGIN + 2, BEGIN + 5))
        assert history.beginnings("0-7-4", [early, late]) == [late]
        with pytest.raises(RefusedError, match="make a TenantBackup"):
            history.beginnings("0-7-4", [early])

    def test_it_is_held_once_the_server_is_archived_so_far_and_the_tenant_does_not_wait(self) -> None:
        bucket, history = self.made(IDS[0], IDS[1], IDS[0])
        assert history.holds("0-7-3")
        assert not history.holds("0-7-4")
        assert not history.holds("9-7-1"), "another domain"
        positions = Positions(bucket.store, SERVER)
        position = positions.load()
        position.waiting[IDS[0]] = BEGIN
        positions.save(position)
        assert not history.holds("0-7-3")

    @given(st.lists(st.sampled_from(IDS[:2]), min_size=1, max_size=12), st.integers(0, 12), st.integers(0, 12))
    def test_the_log_up_to_it_is_neither_more_nor_less(
        self, tmp_path_factory: pytest.TempPathFactory, owners: list[str], until: int, after: int
    ) -> None:
        log, bucket = log_of(*owners), Bucket()
        follow(log, bucket)
        folder: Path = tmp_path_factory.mktemp("logs")
        history = History(bucket.store, IDS[0], SERVER, KEYS[IDS[0]])
        made = history.log_files_to(f"0-7-{until}", folder, after=after)
        wanted = [
            b"".join(log.groups[number - 1])
            for number in range(after + 1, min(until, len(owners)) + 1)
            if owners[number - 1] == IDS[0]
        ]
        content = b"".join(file.read_bytes() for file in made)
        assert content.endswith(b"".join(wanted))
        assert bool(made) is bool(wanted)
        left_out = [one for one in expected(log, IDS[0]) if one not in wanted]
        assert not any(one in content for one in left_out)


class TestWhichBase:
    def test_each_has_its_turn_and_an_attempt_has_that_of_the_one_before(self) -> None:
        beginnings = [Base("a", 1, "1-1-1"), Base("b", 2, "1-1-2"), None]
        drawn = [proof.chosen(beginnings, f"uid-{number}") for number in range(60)]
        assert all(drawn.count(one) > 8 for one in beginnings)
        assert proof.chosen(beginnings[::-1], "uid-7") == proof.chosen(beginnings, "uid-7")
