"""Operations: the Job that the runner makes, what is read of its pod, and a TenantBackup from its creation to its end."""

import base64
import errno
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reconcile.fakes import merge
from reconcile.world import PLAN, SERVER, UID, Object, World, tenant_body
from unit.operator.made import PAUSED, condition
from vivero_core.backends.mariadb.program import Foreign, Others, Program
from vivero_core.errors import BackendError
from vivero_core.model import naming
from vivero_core.model.base import Metadata
from vivero_core.model.constants import LABEL_SCHEDULED
from vivero_core.model.tenant_backup import TenantBackup
from vivero_core.model.tenant_proof import TenantProof
from vivero_core.model.tenant_restore import TenantRestore
from vivero_operator.archiver.lock import Lock
from vivero_operator.escrow.record import Record
from vivero_operator.operations import dumps, program, runner
from vivero_operator.operations.errors import RefusedError, StepFailedError
from vivero_operator.operations.orders import (
    CLIENT_FILE,
    ORDER_FILE,
    BackupOrder,
    Former,
    MomentOrder,
    RestoreOrder,
)
from vivero_operator.operations.runner import Operation, Outcome, Said
from vivero_operator.operations.streams import Measured, Reader, packed, unpacked
from vivero_operator.pod_options import PodOptions
from vivero_operator.reconcile import abandoned
from vivero_operator.reconcile.operation import LOOK_SECONDS, MOST_OF_OTHERS, WAIT_SECONDS, OperationReconciler
from vivero_operator.reconcile.tenant_backup import TenantBackupReconciler, newest_complete
from vivero_operator.reconcile.tenant_proof import TenantProofReconciler
from vivero_operator.reconcile.tenant_restore import TenantRestoreReconciler
from vivero_operator.settings import Settings

STEPS = ("first", "second", "third")
SECRET = "a password that nobody sees"
SETTINGS = Settings(data_plane_image="image:1", operator_image="operator:1", backup_secret="backup-storage")
OPERATION = Operation(
    program="backup",
    kind="TenantBackup",
    owner=Metadata(name="nightly", uid="1234"),
    steps=STEPS,
    files={"order.json": SECRET},
    storage_secret="backup-storage",
    scratch="1Mi",
)


def ended(name: str, code: int = 0, said: object = None, reason: str = "Completed") -> Object:
    text = said if isinstance(said, str) else json.dumps(said)
    at = {"startedAt": "2026-11-29T10:00:00Z", "finishedAt": "2026-11-29T10:00:05Z"}
    return {"name": name, "state": {"terminated": {"exitCode": code, "reason": reason, "message": text, **at}}}


def running(name: str) -> Object:
    return {"name": name, "state": {"running": {"startedAt": "2026-11-29T10:00:00Z"}}}


def waiting(name: str, reason: str = "PodInitializing") -> Object:
    return {"name": name, "state": {"waiting": {"reason": reason}}}


def pod(*states: Object, at: str = "2026-11-29T10:00:00Z", **status: object) -> Object:
    found = {"initContainerStatuses": list(states[:-1]), "containerStatuses": list(states[-1:]), **status}
    return {"metadata": {"creationTimestamp": at}, "status": found}


def job(*conditions: str, message: str = "") -> Object:
    return {"status": {"conditions": [{"type": one, "status": "True", "message": message} for one in conditions]}}


class TestJob:
    def test_its_pod_has_no_account_no_privilege_and_no_secret_in_its_template(self) -> None:
        spec = runner.job(OPERATION, SETTINGS)["spec"]["template"]["spec"]
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        for container in (*spec["initContainers"], *spec["containers"]):
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] is True
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert container["image"] == "operator:1"
        assert SECRET not in json.dumps(spec)
        assert SECRET not in repr(OPERATION)

    def test_its_pod_runs_where_and_as_whom_the_operators_own_do(self) -> None:
        options = {
            "imagePullSecrets": [{"name": "registry"}],
            "nodeSelector": {"pool": "platform"},
            "labels": {"team": "platform", "app.kubernetes.io/name": "other"},
            "podSecurityContext": {"runAsUser": 7},
        }
        settings = SETTINGS.model_copy(
            update={"operator_pod": PodOptions.model_validate(options), "operator_pull_policy": "Always"}
        )
        template = runner.job(OPERATION, settings)["spec"]["template"]
        spec = template["spec"]
        assert spec["imagePullSecrets"] == [{"name": "registry"}]
        assert spec["nodeSelector"] == {"pool": "platform"}
        assert spec["securityContext"] == {
            "runAsUser": 7,
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        }
        containers = [*spec["initContainers"], *spec["containers"]]
        assert {one["imagePullPolicy"] for one in containers} == {"Always"}
        labels = template["metadata"]["labels"]
        assert (labels["team"], labels["app.kubernetes.io/name"]) == ("platform", "vivero-operation")

    def test_steps_run_in_their_order(self) -> None:
        spec = runner.job(OPERATION, SETTINGS)["spec"]["template"]["spec"]
        names = [one["name"] for one in (*spec["initContainers"], *spec["containers"])]
        assert names == list(STEPS)
        assert [one["command"][-1] for one in (*spec["initContainers"], *spec["containers"])] == list(STEPS)

    def test_every_step_knows_the_lock_of_what_it_writes(self) -> None:
        settings = SETTINGS.model_copy(update={"backup_lock": "GOVERNANCE"})
        spec = runner.job(OPERATION, settings)["spec"]["template"]["spec"]
        for container in (*spec["initContainers"], *spec["containers"]):
            assert Lock.of({one["name"]: one["value"] for one in container["env"]}) == settings.lock

    def test_job_and_secret_go_away_with_what_they_were_made_for(self) -> None:
        for manifest in (runner.job(OPERATION, SETTINGS), runner.secret(OPERATION, SETTINGS)):
            (owner,) = manifest["metadata"]["ownerReferences"]
            assert (owner["kind"], owner["name"], owner["uid"]) == ("TenantBackup", "nightly", "1234")
            assert manifest["metadata"]["namespace"] == SETTINGS.platform_namespace

    def test_what_is_mounted_is_what_the_secret_holds(self) -> None:
        data = runner.secret(OPERATION, SETTINGS)["data"]
        assert base64.b64decode(data["order.json"]).decode() == SECRET
        volumes = runner.job(OPERATION, SETTINGS)["spec"]["template"]["spec"]["volumes"]
        sources = next(one for one in volumes if one["name"] == "files")["projected"]["sources"]
        names = [source["secret"]["name"] for source in sources if "secret" in source]
        assert names == [OPERATION.name, "backup-storage"]


class TestProgress:
    @pytest.mark.parametrize(
        ("pods", "states", "message"),
        [
            ([], ["Waiting", "Waiting", "Waiting"], "Waiting for a pod"),
            ([pod(*map(waiting, STEPS))], ["Waiting", "Waiting", "Waiting"], "Waiting for its pod to start"),
            (
                [pod(waiting("first", "ImagePullBackOff"), *map(waiting, STEPS[1:]))],
                ["Waiting", "Waiting", "Waiting"],
                "Waiting for first: ImagePullBackOff",
            ),
            (
                [pod(conditions=[{"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available"}])],
                ["Waiting", "Waiting", "Waiting"],
                "Waiting for a node: 0/1 nodes are available",
            ),
            (
                [pod(ended("first"), running("second"), waiting("third"))],
                ["Done", "Running", "Waiting"],
                "Running: second",
            ),
            (
                [pod(ended("first"), ended("second", 1, {"message": "no answer"}, "Error"), waiting("third"))],
                ["Done", "Failed", "Waiting"],
                "second failed and is retried: no answer",
            ),
            (
                [pod(ended("first", 137, "", "OOMKilled"), waiting("second"), waiting("third"))],
                ["Failed", "Waiting", "Waiting"],
                "first failed and is retried: OOMKilled, exit code 137",
            ),
            (
                [pod(*map(ended, STEPS))],
                ["Done", "Done", "Done"],
                "All steps done; waiting for the Job to end",
            ),
        ],
    )
    def test_while_it_runs(self, pods: list[Object], states: list[str], message: str) -> None:
        found = runner.progress(STEPS, {}, pods)
        assert (found.outcome, [one.state for one in found.steps], found.message) == (Outcome.RUNNING, states, message)

    def test_the_newest_pod_is_the_present_attempt(self) -> None:
        old = pod(ended("first", 1, {"message": "no answer"}), waiting("second"), waiting("third"))
        new = pod(running("first"), waiting("second"), waiting("third"), at="2026-11-29T10:01:00Z")
        for pods in ([old, new], [new, old]):
            assert runner.progress(STEPS, {}, pods).message == "Running: first"

    def test_its_end_brings_the_result_of_the_last_step(self) -> None:
        last = ended("third", said={"message": "all well", "result": {"bytes": 7}})
        found = runner.progress(STEPS, job("Complete"), [pod(ended("first"), ended("second"), last)])
        assert (found.outcome, found.result) == (Outcome.DONE, {"bytes": 7})
        assert found.steps[-1].message == "all well"

    def test_a_failure_names_the_step_and_why(self) -> None:
        pods = [pod(ended("first"), ended("second", 1, {"message": "away"}, "Error"), waiting("third"))]
        found = runner.progress(STEPS, job("Failed", message="Pod failed"), pods)
        assert (found.outcome, found.message) == (Outcome.FAILED, "second: away")

    def test_a_pod_that_was_evicted_says_for_what(self) -> None:
        why = 'Usage of EmptyDir volume "scratch" exceeds the limit "64Gi".'
        pods = [pod(ended("first"), ended("second", 137, None, "Error"), reason="Evicted", message=why)]
        found = runner.progress(STEPS, job("Failed", message="Pod failed"), pods)
        assert (found.outcome, found.message) == (Outcome.FAILED, f"second: {why}")

    def test_what_no_attempt_can_do_is_refused(self) -> None:
        pods = [pod(ended("first", 3, {"message": "out of reach"}, "Error"), waiting("second"), waiting("third"))]
        found = runner.progress(STEPS, job("Failed", message="Pod failed"), pods)
        assert (found.outcome, found.message) == (Outcome.REFUSED, "first: out of reach")

    def test_a_failure_without_its_pods_is_told_in_the_jobs_words(self) -> None:
        found = runner.progress(STEPS, job("Failed", message="Job was active longer than specified deadline"), [])
        assert (found.outcome, found.message) == (Outcome.FAILED, "Job was active longer than specified deadline")

    @given(st.text() | st.from_type(float).map(str) | st.sampled_from(["[]", "7", "null", '{"message": 3}', "{"]))
    def test_whatever_a_termination_log_holds(self, said: str) -> None:
        found = runner.progress(STEPS, {}, [pod(ended("first", 1, said, "Error"), waiting("second"), waiting("third"))])
        assert found.steps[0].state == "Failed"
        assert found.steps[0].message


class TestProgram:
    def told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: Callable[[Any], Said]) -> tuple[int, Any]:
        monkeypatch.setenv("VIVERO_OPERATION_FILES", str(tmp_path))
        log = tmp_path / "log"
        code = program.run({"do": step}, ["do"], log)
        return code, json.loads(log.read_text())

    def test_what_came_of_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "order").write_text("seven")
        code, said = self.told(
            tmp_path, monkeypatch, lambda files: Said(message=files.text("order"), result={"bytes": 7})
        )
        assert (code, said) == (0, {"message": "seven", "result": {"bytes": 7}})

    @pytest.mark.parametrize(
        ("error", "code", "message"),
        [
            (StepFailedError("no answer"), 1, "no answer"),
            (RefusedError("no such schema"), runner.REFUSED_EXIT, "no such schema"),
            (BackendError("s3", "away"), 1, "s3: away"),
            (
                OSError(errno.ENOSPC, "No space left on device", "/var/operation/x"),
                1,
                "OSError: No space left on device",
            ),
            (ZeroDivisionError("secret"), 1, "unexpected ZeroDivisionError; the log of the pod has more"),
            (StepFailedError("ü" * 9000), 1, "ü" * (program.MESSAGE_BYTES // 2)),
        ],
    )
    def test_a_failure(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, code: int, message: str
    ) -> None:
        def fail(_: object) -> Said:
            raise error

        assert self.told(tmp_path, monkeypatch, fail) == (code, {"message": message, "result": {}})


class TestStreams:
    @given(st.lists(st.binary(max_size=300)), st.integers(1, 50))
    def test_nothing_is_lost_on_the_way(self, pieces: list[bytes], size: int) -> None:
        before, after = Measured(), Measured()
        reader = Reader(after.through(unpacked(packed(before.through(pieces)))))
        read = b""
        while piece := reader.read(size):
            read += piece
        assert read == b"".join(pieces)
        assert (before.sha256, before.size) == (after.sha256, after.size)


HOSTILE = (
    "USE `vtneighbour`;",
    "CREATE DATABASE other;",
    "create database other;",
    "DROP DATABASE `vtneighbour`;",
    "GRANT ALL ON *.* TO x;",
    "CREATE USER x;",
    "/*!50001 DROP DATABASE `vtneighbour` */;",
    "/*!50001 CREATE DATABASE other */;",
    "/*M!100100 GRANT ALL ON *.* TO x */;",
    "/*!40101 SET GLOBAL max_connections = 1 */;",
    "/*!40101 SET @a = 1, GLOBAL max_connections = 1 */;",
    "SET @a = 1, @@GLOBAL.max_connections = 1;",
    "SET GLOBAL max_connections = 1;",
    "SET PASSWORD = '';",
    "SET @@global.general_log = 1;",
    "CREATE TRIGGER t BEFORE INSERT ON c_1 FOR EACH ROW SET @a = 1;",
    "CREATE EVENT e ON SCHEDULE EVERY 1 SECOND DO DROP DATABASE `vtneighbour`;",
    "system touch /tmp/harm;",
    "\\! touch /tmp/harm",
    "\\. /tmp/harm.sql",
    "source /tmp/harm.sql;",
    "tee /tmp/harm",
    "delimiter //",
    "SELECT 1 INTO OUTFILE '/tmp/harm';",
    "LOAD DATA INFILE '/etc/passwd' INTO TABLE c_1;",
    "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE c_1;",
    "PREPARE one FROM 'DROP DATABASE `vtneighbour`';",
    "EXECUTE IMMEDIATE 'DROP DATABASE `vtneighbour`';",
    "CALL mysql.x();",
    "SHUTDOWN;",
    "KILL 1;",
    "DELETE FROM `c_1`;",
    "/*!40000 ALTER TABLE `c_1` RENAME TO `vtneighbour`.`c_9` */;",
    "RENAME TABLE c_1 TO `vtneighbour`.c_9;",
    "ALTER TABLE `c_1` RENAME TO `vtneighbour`.`c_9`;",
)
"""What mariadb-dump never writes of tables: it is not run, whoever may run it."""


class TestDumps:
    @pytest.mark.parametrize("statement", HOSTILE)
    def test_what_harms_others_is_not_run(self, statement: str) -> None:
        lines = f"USE `vta`;\nCREATE TABLE `c_1` (id INT);\n{statement}\nINSERT INTO `c_1` VALUES (1);\n"
        run: list[bytes | Program] = []
        with pytest.raises(RefusedError, match="the dump"):
            run.extend(dumps.statements(dumps.of_schema([lines.encode()], ("vta", "vtaaudit"), "vta")))
        assert run in ([], [b"CREATE TABLE `c_1` (id INT);\n"])

    def test_a_line_without_an_end_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("vivero_operator.operations.dumps._LINE_BYTES", 1000)
        with pytest.raises(RefusedError, match="a line of more than 1000 bytes"):
            list(dumps.statements([b"INSERT INTO `c_1` VALUES ('", *(100 * [b"0123456789"])]))

    TEXT = (
        b"/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump\n\n/*!40101 SET NAMES utf8mb4 */;\n"
        b"DROP TABLE IF EXISTS `t`;\nCREATE TABLE `t` (\n  `a` int\n) AUTO_INCREMENT=7;\n"
        b"INSERT INTO `t` VALUES\n(1,'; -- '),\n(2,'x');\n-- Dump completed\n"
    )

    def test_its_statements(self) -> None:
        found = [one for one in dumps.statements([self.TEXT]) if isinstance(one, bytes)]
        assert [one.split(b" ")[0] for one in found] == [b"/*!40101", b"DROP", b"CREATE", b"INSERT"]
        assert [dumps.is_insert(one) for one in found] == [False, False, False, True]
        assert found[3].endswith(b"(2,'x');\n")

    @given(st.lists(st.integers(0, len(TEXT)), max_size=8))
    def test_however_it_is_cut_into_pieces(self, cuts: list[int]) -> None:
        ends = sorted({0, *cuts, len(self.TEXT)})
        pieces = [self.TEXT[begin:end] for begin, end in itertools.pairwise(ends)]
        assert list(dumps.statements(pieces)) == list(dumps.statements([self.TEXT]))
        whole, cut = dumps.Fingerprint(), dumps.Fingerprint()
        assert b"".join(cut.through(pieces)) == b"".join(whole.through([self.TEXT])) == self.TEXT
        assert (cut.rows, cut.tables) == (whole.rows, whole.tables)

    @pytest.mark.parametrize(
        ("server", "end"),
        [
            ("10.11.19-MariaDB-log", b"2038-01-19 03:14:07"),
            ("11.5.2-MariaDB", b"2106-02-07 06:28:15"),
            ("", b"2038-01-19 03:14:07"),
        ],
    )
    @pytest.mark.parametrize("dumped", [b"2038-01-19 03:14:07", b"2106-02-07 06:28:15"])
    def test_a_version_that_has_not_ended_ends_when_the_server_says(
        self, server: str, end: bytes, dumped: bytes
    ) -> None:
        row = b"INSERT INTO `h` (`id`, row_start, row_end) VALUES (1,'2026-01-01 00:00:00.000000','%s.999999');\n"
        text = (
            b"INSERT INTO `t` VALUES ('2106-02-07 06:28:15.999999');\n/*M!101100 SET @old_system_versioning_insert_history=1 */;\n"
            + row % dumped
            + b"/*M!101100 SET system_versioning_insert_history=@old_system_versioning_insert_history */;\n"
        )
        other, _, found, _ = dumps.statements([text], server)
        assert (other, found) == (b"INSERT INTO `t` VALUES ('2106-02-07 06:28:15.999999');\n", row % end)

    def test_one_without_its_end_is_refused(self) -> None:
        with pytest.raises(RefusedError, match="in the middle of a statement"):
            list(dumps.statements([b"INSERT INTO `t` VALUES (1)"]))

    @pytest.mark.parametrize(
        ("change", "rows", "tables"),
        [
            ((b"(2,'x')", b"(2,'y')"), False, True),
            ((b"`a` int", b"`a` bigint"), True, False),
            ((b"AUTO_INCREMENT=7", b"AUTO_INCREMENT=9"), True, True),
            ((b"-- MariaDB dump", b"-- another host"), True, True),
        ],
    )
    def test_what_two_dumps_of_the_same_data_have_in_common(
        self, change: tuple[bytes, bytes], *, rows: bool, tables: bool
    ) -> None:
        one, other = dumps.Fingerprint(), dumps.Fingerprint()
        list(one.through([self.TEXT]))
        list(other.through([self.TEXT.replace(*change)]))
        assert (one.rows == other.rows, one.tables == other.tables) == (rows, tables)


def backup_body(name: str = "nightly", tenant: str = "acme", **metadata: object) -> Object:
    return {
        "kind": "TenantBackup",
        "apiVersion": "vivero.dev/v1alpha1",
        "metadata": {"name": name, "uid": f"uid-{name}", "generation": 1, "resourceVersion": "1", **metadata},
        "spec": {"tenant": tenant},
        "status": {},
    }


JOB = ("Job", SETTINGS.platform_namespace, "backup-uid-nightly")
SECRET_OF_JOB = ("Secret", *JOB[1:])


class Cluster:
    """A world with a tenant that has keys, and the reconciler of backups in it."""

    def __init__(self, settings: Settings = SETTINGS) -> None:
        self.world = World()
        self.world.settings = settings
        self.world.restart()
        for one in (PLAN, SERVER, tenant_body()):
            self.world.put(one)

    @property
    def ident(self) -> str:
        return naming.tenant_id(UID)

    async def keys(self) -> None:
        await self.world.escrow(self.ident, UID)

    async def reconcile(self, name: str = "nightly") -> Any:  # noqa: ANN401  a Result
        return await TenantBackupReconciler(self.world.services).reconcile(name)

    def backup(self, name: str = "nightly") -> TenantBackup:
        return TenantBackup.parse(self.world.kube.objects["TenantBackup", None, name])

    def said(self, name: str = "nightly") -> tuple[str, str, str]:
        (condition,) = self.backup(name).status.conditions
        return condition.status, condition.reason, condition.message

    def pod(self, *states: Object) -> None:
        labels = {"batch.kubernetes.io/job-name": JOB[2]}
        made = pod(*states)
        made["metadata"] |= {"name": "attempt", "namespace": JOB[1], "labels": labels}
        self.world.kube.put({"kind": "Pod", "apiVersion": "v1", **made})

    def end(self, how: str) -> None:
        self.world.kube.objects[JOB] |= job(how)


def restore_body(**target: str) -> Object:
    return {
        "kind": "TenantRestore",
        "apiVersion": "vivero.dev/v1alpha1",
        "metadata": {"name": "again", "uid": "uid-again", "generation": 1, "resourceVersion": "1"},
        "spec": {
            "tenant": "acme",
            "backup": "nightly",
            "target": {"tenant": "acme-again", "slug": "acme-again", **target},
        },
        "status": {},
    }


NEW = naming.tenant_id("uid-again")
MOMENT_JOB = ("Job", SETTINGS.platform_namespace, "moment-uid-again")
RESTORE_JOB = ("Job", SETTINGS.platform_namespace, "restore-uid-again")
ESCROWED = ("Secret", SETTINGS.platform_namespace, f"escrow-{NEW}")


class TestTenantRestore:
    @pytest.fixture
    async def made(self) -> Cluster:
        """With a backup that is complete, and a restore of it."""
        made = Cluster()
        await made.keys()
        body = backup_body()
        at = "2026-11-29T10:00:00Z"
        done = {"type": "Complete", "status": "True", "reason": "BackedUp", "lastTransitionTime": at}
        body["status"] = {"prefix": f"{made.ident}/backups/uid-nightly", "conditions": [done]}
        made.world.put(body)
        made.world.put(restore_body())
        return made

    async def reconcile(self, made: Cluster) -> Any:  # noqa: ANN401  a Result
        return await TenantRestoreReconciler(made.world.services).reconcile("again")

    def said(self, made: Cluster) -> tuple[str, str, str]:
        restored = TenantRestore.parse(made.world.kube.objects["TenantRestore", None, "again"])
        (condition,) = restored.status.conditions
        return condition.status, condition.reason, condition.message

    def end(self, made: Cluster, how: str, **result: object) -> None:
        labels = {"batch.kubernetes.io/job-name": RESTORE_JOB[2]}
        found = pod(ended("database"), ended("files"), ended("verify", said={"message": "same", "result": result}))
        found["metadata"] |= {"name": "attempt", "namespace": RESTORE_JOB[1], "labels": labels}
        made.world.kube.put({"kind": "Pod", "apiVersion": "v1", **found})
        made.world.kube.objects[RESTORE_JOB] |= job(how)

    async def test_from_its_creation_to_its_end(self, made: Cluster) -> None:
        await self.reconcile(made)
        assert self.said(made)[:2] == ("False", "Running")
        assert "vivero.dev/retained" in made.world.kube.objects[ESCROWED]["metadata"]["labels"]
        data = made.world.kube.objects["Secret", *RESTORE_JOB[1:]]["data"]
        order = RestoreOrder.load(base64.b64decode(data[ORDER_FILE]).decode())
        source = await made.world.services.escrow.find(made.ident)
        assert source is not None
        assert source.keys is not None
        assert order.file_key == source.keys.file_key
        assert order.target.file_key not in {"", source.keys.file_key}, "erasing one leaves the other's files readable"
        assert order.target.database.password != source.keys.database_password
        assert order.target.schemas[naming.database_name(made.ident)] == naming.database_name(NEW)

        self.end(made, "Complete", files=2, restoredTo="2026-11-29T10:00:00Z")
        assert (await self.reconcile(made)).retry_after == LOOK_SECONDS
        tenant = made.world.kube.objects["Tenant", None, "acme-again"]
        assert (tenant["spec"]["adopt"], tenant["spec"]["slug"]) == (NEW, "acme-again")
        assert self.said(made)[1:] == ("Provisioning", "Waiting for Tenant acme-again")

        ready = {"type": "Ready", "status": "True", "reason": "Proven", "lastTransitionTime": "2026-11-29T10:00:00Z"}
        made.world.put(tenant | {"status": {"conditions": [ready]}})
        await self.reconcile(made)
        assert self.said(made)[:2] == ("True", "Restored")

    async def test_a_second_start_uses_the_keys_of_the_first(self, made: Cluster) -> None:
        await self.reconcile(made)
        first = await made.world.services.escrow.find(NEW)
        del made.world.kube.objects[RESTORE_JOB]
        await self.reconcile(made)
        second = await made.world.services.escrow.find(NEW)
        assert first is not None
        assert second is not None
        assert first.keys == second.keys

    async def test_a_backup_of_somebody_else_is_refused(self, made: Cluster) -> None:
        made.world.put(backup_body() | {"status": {"prefix": "zzzzzzzzzz/backups/uid-nightly"}})
        await self.reconcile(made)
        assert self.said(made) == ("False", "BackupNotFound", "TenantBackup nightly is not of Tenant acme")

    async def test_to_a_second_it_takes_the_log_and_not_a_backup(self, made: Cluster) -> None:
        await self.to_a_second(made)
        data = made.world.kube.objects["Secret", MOMENT_JOB[1], MOMENT_JOB[2]]["data"]
        order = MomentOrder.load(base64.b64decode(data[ORDER_FILE]).decode())
        assert (order.tenant, order.until) == (made.ident, 1795953600)
        assert order.server == made.world.kube.objects["DatabaseServer", None, "main"]["metadata"]["uid"]
        assert order.target.schemas[naming.database_name(made.ident)] == naming.database_name(NEW)
        containers = made.world.kube.objects[MOMENT_JOB]["spec"]["template"]["spec"]["initContainers"]
        assert containers[0]["command"][-2:] == ["vivero_operator.operations.moment", "log"]

    async def test_what_is_out_of_reach_is_refused_with_what_is_not(self, made: Cluster) -> None:
        await self.to_a_second(made)
        said = {"message": "out of reach; what can be restored: 2026-11-29T09:00:00Z to 2026-11-29T09:30:00Z"}
        found = pod(ended("log", 3, said, "Error"))
        labels = {"batch.kubernetes.io/job-name": MOMENT_JOB[2]}
        found["metadata"] |= {"name": "attempt", "namespace": MOMENT_JOB[1], "labels": labels}
        made.world.kube.put({"kind": "Pod", "apiVersion": "v1", **found})
        made.world.kube.objects[MOMENT_JOB] |= job("Failed")
        await self.reconcile(made)
        restored = TenantRestore.parse(made.world.kube.objects["TenantRestore", None, "again"])
        told = {one.type: (one.status, one.reason) for one in restored.status.conditions}
        assert told == {"Complete": ("False", "Refused"), "Refused": ("True", "Refused")}
        assert "2026-11-29T09:30:00Z" in (restored.status.message or "")
        assert ESCROWED not in made.world.kube.objects
        made.world.kube.writes.clear()
        await self.reconcile(made)
        assert made.world.kube.writes == [], "it has ended"

    async def to_a_second(self, made: Cluster) -> None:
        """Restore to a second of a server whose log is archived."""
        body = restore_body()
        body["metadata"]["resourceVersion"] = "9"
        body["spec"] |= {"backup": None, "time": "2026-11-29T12:00:00Z"}
        made.world.put(merge(SERVER, {"spec": {"archiverSecret": "mariadb-archiver"}}))
        made.world.put(body)
        await self.reconcile(made)

    async def test_without_an_archive_there_are_no_seconds(self, made: Cluster) -> None:
        body = restore_body()
        body["metadata"]["resourceVersion"] = "9"
        body["spec"]["backup"] = None
        made.world.put(body)
        await self.reconcile(made)
        assert self.said(made)[1] == "NotConfigured"

    async def test_one_that_fails_leaves_nothing(self, made: Cluster) -> None:
        await self.reconcile(made)
        self.end(made, "Failed")
        await self.reconcile(made)
        assert self.said(made)[:2] == ("False", "Failed")
        assert ESCROWED not in made.world.kube.objects
        assert naming.database_name(NEW) not in made.world.backends.servers["main"].databases
        assert made.world.backends.s3.buckets == {}
        assert ("Tenant", None, "acme-again") not in made.world.kube.objects

    def has_nothing_new(self, made: Cluster) -> bool:
        nothing = naming.database_name(NEW) not in made.world.backends.servers["main"].databases
        return nothing and made.world.backends.s3.buckets == {} and ESCROWED not in made.world.kube.objects

    async def test_one_that_is_deleted_under_way_leaves_nothing(self, made: Cluster) -> None:
        reconciler = TenantRestoreReconciler(made.world.services)
        await reconciler.reconcile("again")
        assert not self.has_nothing_new(made)
        made.world.remove("TenantRestore", None, "again")
        await reconciler.reconcile("again")
        assert self.has_nothing_new(made)

    @pytest.mark.parametrize("how", ["deleted", "made anew", "failed"])
    async def test_what_an_operator_before_has_left_of_one_is_swept(self, made: Cluster, how: str) -> None:
        await self.reconcile(made)
        made.world.restart()
        if how == "failed":
            status = {"conditions": [condition("Complete", "Failed", truth=False)]}
            made.world.kube.objects["TenantRestore", None, "again"] |= {"status": status}
        else:
            made.world.remove("TenantRestore", None, "again")
        if how == "made anew":
            body = restore_body()
            body["metadata"]["uid"] = "uid-of-another"
            made.world.put(body)
        await sweep(made)
        assert self.has_nothing_new(made)

    @pytest.mark.parametrize("holder", ["the restore", "its Tenant", "a Tenant that has taken it over"])
    async def test_the_sweep_leaves_what_somebody_has(self, made: Cluster, holder: str) -> None:
        await self.reconcile(made)
        escrow = made.world.services.escrow
        if holder != "the restore":
            made.world.remove("TenantRestore", None, "again")
        if holder == "its Tenant":
            made.world.put(merge(tenant_body("acme-again"), {"metadata": {"uid": "u2"}, "spec": {"adopt": NEW}}))
        if holder == "a Tenant that has taken it over":
            record = await escrow.find(NEW)
            assert record is not None
            await escrow.take_over(record, "u2")
        await sweep(made)
        assert not self.has_nothing_new(made)

    async def test_an_adoption_between_the_look_and_the_claim_wins(
        self, made: Cluster, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await self.reconcile(made)
        made.world.remove("TenantRestore", None, "again")
        escrow = made.world.services.escrow
        records, claim = await escrow.all(), escrow.claim

        async def after_an_adoption(record: Record, uid: str) -> None:
            await escrow.take_over(record, "u2")
            await claim(record, uid)

        monkeypatch.setattr(escrow, "claim", after_an_adoption)
        await abandoned.erase(made.world.services, records)
        assert not self.has_nothing_new(made)

    async def test_a_sweep_that_is_cut_short_is_done_again(self, made: Cluster) -> None:
        await self.reconcile(made)
        made.world.remove("TenantRestore", None, "again")
        made.world.backends.s3.down = True
        await sweep(made)
        assert ESCROWED in made.world.kube.objects
        made.world.backends.s3.down = False
        await sweep(made)
        assert self.has_nothing_new(made)

    @pytest.mark.parametrize(
        ("target", "reason"), [({"tenant": "acme"}, "TenantExists"), ({"slug": "acme"}, "SlugTaken")]
    )
    async def test_what_is_taken_is_left_alone(self, made: Cluster, target: dict[str, str], reason: str) -> None:
        made.world.put(restore_body(**target))
        await self.reconcile(made)
        assert self.said(made)[:2] == ("False", reason)
        assert ESCROWED not in made.world.kube.objects

    @pytest.mark.parametrize("status", [{}, {"conditions": [condition("Complete", "Failed", truth=False)]}])
    async def test_a_backup_that_is_none_is_not_restored(self, made: Cluster, status: Object) -> None:
        made.world.remove("TenantBackup", None, "nightly")
        made.world.put(backup_body(resourceVersion="9") | {"status": status})
        await self.reconcile(made)
        assert self.said(made)[:2] == ("False", "BackupNotFound")
        made.world.remove("TenantBackup", None, "nightly")
        await self.reconcile(made)
        assert self.said(made)[2] == "There is no TenantBackup nightly"


async def sweep(made: Cluster) -> None:
    await abandoned.erase(made.world.services, await made.world.services.escrow.all())


ODD: dict[str, tuple[Any, dict[str, Any], str, str]] = {
    "nobody's backup": (TenantBackup, {"tenant": "nobody"}, "TenantNotFound", "There is no Tenant nobody"),
    "nobody's proof": (TenantProof, {"tenant": "nobody"}, "TenantNotFound", "There is no Tenant nobody"),
    "nobody's restore": (
        TenantRestore,
        {"tenant": "nobody", "backup": "nightly", "target": {"tenant": "x", "slug": "xyz"}},
        "TenantNotFound",
        "There is no Tenant nobody",
    ),
    "of a backup that is none": (
        TenantRestore,
        {"tenant": "acme", "backup": "x" * 253, "target": {"tenant": "x", "slug": "xyz"}},
        "BackupNotFound",
        "There is no TenantBackup xxx",
    ),
    "into a Tenant that is there": (
        TenantRestore,
        {"tenant": "acme", "backup": "kept", "target": {"tenant": "acme", "slug": "xyz"}},
        "TenantExists",
        "There is a Tenant acme already",
    ),
    "to a slug that is taken": (
        TenantRestore,
        {"tenant": "acme", "backup": "kept", "target": {"tenant": "x", "slug": "acme"}},
        "SlugTaken",
        "Slug acme belongs to Tenant acme",
    ),
    "to a second without a log": (
        TenantRestore,
        {"tenant": "acme", "time": "2199-12-31T23:59:59Z", "target": {"tenant": "x", "slug": "xyz"}},
        "NotConfigured",
        "DatabaseServer main has no archive of its log",
    ),
}
RECONCILERS: dict[type[Any], Callable[[World], OperationReconciler[Any]]] = {
    TenantBackup: lambda world: TenantBackupReconciler(world.services),
    TenantRestore: lambda world: TenantRestoreReconciler(world.services),
    TenantProof: lambda world: TenantProofReconciler(world.services, lambda _: None),
}


@pytest.mark.parametrize("name", ODD)
async def test_an_odd_one_says_what_is_wrong_and_a_good_one_beside_it_is_done(name: str) -> None:
    model, spec, reason, sentence = ODD[name]
    made = Cluster()
    await made.keys()
    done = {"type": "Complete", "status": "True", "reason": "BackedUp", "lastTransitionTime": "2026-11-29T10:00:00Z"}
    made.world.put(backup_body("kept") | {"status": {"prefix": f"{made.ident}/backups/k", "conditions": [done]}})
    made.world.put(backup_body())
    made.world.put({**restore_body(), "kind": model.__name__, "metadata": {"name": "odd", "uid": "odd"}, "spec": spec})
    for _ in range(2):
        assert (await RECONCILERS[model](made.world).reconcile("odd")).retry_after == WAIT_SECONDS
        await made.reconcile()
    odd: Any = model.parse(made.world.kube.objects[model.__name__, None, "odd"])
    (told,) = odd.status.conditions
    assert (told.type, told.status, told.reason) == ("Complete", "False", reason)
    assert told.message.startswith(sentence)
    verified = ended("verify", said={"message": "same", "result": {"prefix": "p", "bytes": 1, "files": 0}})
    made.pod(ended("files"), ended("dump"), verified)
    made.end("Complete")
    await made.reconcile()
    assert made.said()[:2] == ("True", "BackedUp")


@pytest.fixture
async def cluster() -> Cluster:
    made = Cluster()
    await made.keys()
    made.world.put(backup_body())
    return made


class TestTenantBackup:
    async def test_from_its_creation_to_its_end(self, cluster: Cluster) -> None:
        assert (await cluster.reconcile()).retry_after == LOOK_SECONDS
        assert cluster.said() == ("False", "Running", "Waiting for a pod")
        order = cluster.world.kube.objects[SECRET_OF_JOB]["data"]
        told = BackupOrder.load(base64.b64decode(order[ORDER_FILE]).decode())
        assert (told.tenant, told.uid) == (cluster.ident, "uid-nightly")
        assert told.schemas == (naming.database_name(cluster.ident), naming.audit_database_name(cluster.ident))
        assert b'host="db.example"' in base64.b64decode(order[CLIENT_FILE])

        cluster.pod(ended("files"), running("dump"), waiting("verify"))
        await cluster.reconcile()
        assert [one.state for one in cluster.backup().status.steps] == ["Done", "Running", "Waiting"]
        assert cluster.backup().status.message == "Running: dump"

        result = {"prefix": "x/backups/y", "bytes": 7, "files": 2, "takenAt": "2026-11-29T10:00:00+00:00"}
        cluster.pod(ended("files"), ended("dump"), ended("verify", said={"message": "same", "result": result}))
        cluster.end("Complete")
        assert (await cluster.reconcile()).retry_after is None
        status = cluster.backup().status
        assert cluster.said()[:2] == ("True", "BackedUp")
        assert (status.prefix, status.bytes, status.files) == ("x/backups/y", 7, 2)
        assert SECRET_OF_JOB not in cluster.world.kube.objects, "the credentials are not kept"

    async def test_what_an_administrator_made_travels_with_the_order(self, cluster: Cluster) -> None:
        server = cluster.world.backends.servers["main"]
        routine = Program("PROCEDURE", "p", ("CREATE PROCEDURE `p`() SELECT 1",))
        others = Others((Foreign(routine, "2026-11-29 10:00:00"),), ("nightly",))
        server.others[naming.database_name(cluster.ident)] = others
        await cluster.reconcile()
        order = cluster.world.kube.objects[SECRET_OF_JOB]["data"]
        assert BackupOrder.load(base64.b64decode(order[ORDER_FILE]).decode()).others == others

    async def test_more_of_it_than_a_secret_holds_waits_and_says_so(self, cluster: Cluster) -> None:
        routine = Program("PROCEDURE", "p", ("CREATE PROCEDURE `p`() SELECT '" + "x" * MOST_OF_OTHERS + "'",))
        server = cluster.world.backends.servers["main"]
        server.others[naming.database_name(cluster.ident)] = Others((Foreign(routine, ""),))
        await cluster.reconcile()
        assert cluster.said()[:2] == ("False", "Unreadable")
        assert "Routines of other accounts in vt" in cluster.said()[2]
        assert SECRET_OF_JOB not in cluster.world.kube.objects

    @pytest.mark.parametrize(
        ("scheduled", "archived", "compares"), [(True, False, True), (False, False, False), (True, True, False)]
    )
    async def test_what_a_schedule_made_compares_with_the_one_before_where_no_log_is_archived(
        self, *, scheduled: bool, archived: bool, compares: bool
    ) -> None:
        cluster = Cluster()
        await cluster.keys()
        cluster.world.put(merge(SERVER, {"spec": {"archiverSecret": "archiver" if archived else None}}))
        for day in (1, 3, 2):
            complete = {"conditions": [condition("Complete", "BackedUp", truth=True)], "prefix": f"{cluster.ident}/x"}
            cluster.world.put(
                backup_body(f"day-{day}") | {"status": complete | {"takenAt": f"2026-11-0{day}T10:00:00Z"}}
            )
        cluster.world.put(backup_body(labels={LABEL_SCHEDULED: "2026-11-29T02.30Z"} if scheduled else {}))
        await cluster.reconcile()
        order = BackupOrder.load(
            base64.b64decode(cluster.world.kube.objects[SECRET_OF_JOB]["data"][ORDER_FILE]).decode()
        )
        assert order.former == (Former("day-3", "uid-day-3") if compares else None)

    async def test_what_was_not_changed_is_said_and_is_no_backup(self, cluster: Cluster) -> None:
        await cluster.reconcile()
        said = {"result": {"unchangedSince": "day-3"}}
        cluster.pod(ended("files"), ended("dump"), ended("verify", said=said))
        cluster.end("Complete")
        await cluster.reconcile()
        assert cluster.said() == ("True", "Unchanged", "Unchanged since TenantBackup day-3: nothing was written")
        tenant = cluster.world.cluster.tenants.get("acme")
        assert tenant is not None
        assert newest_complete([cluster.backup()], tenant) is None

    async def test_a_result_that_cannot_be_read_is_no_backup(self, cluster: Cluster) -> None:
        await cluster.reconcile()
        cluster.pod(ended("files"), ended("dump"), ended("verify", said={"result": {"bytes": "many"}}))
        cluster.end("Complete")
        await cluster.reconcile()
        assert cluster.said()[:2] == ("False", "Failed")
        assert "bytes" in cluster.said()[2]

    async def test_what_has_ended_is_never_done_again(self, cluster: Cluster) -> None:
        await cluster.reconcile()
        cluster.end("Failed")
        await cluster.reconcile()
        assert cluster.said()[:2] == ("False", "Failed")
        del cluster.world.kube.objects[JOB]
        cluster.world.kube.writes.clear()
        assert (await cluster.reconcile()).retry_after is None
        assert cluster.world.kube.writes == []

    async def test_an_operator_that_died_between_two_writes_goes_on(self, cluster: Cluster) -> None:
        await cluster.reconcile()
        del cluster.world.kube.objects[JOB]
        await cluster.reconcile()
        assert JOB in cluster.world.kube.objects

    async def test_while_it_is_paused_nothing_is_started(self) -> None:
        cluster = Cluster()
        await cluster.keys()
        cluster.world.put(backup_body(annotations=PAUSED))
        await cluster.reconcile()
        assert JOB not in cluster.world.kube.objects
        assert [one.type for one in cluster.backup().status.conditions] == ["Paused"]

    @pytest.mark.parametrize(
        ("tenant", "settings", "keys", "reason"),
        [
            ("acme", Settings(data_plane_image="image:1"), True, "NotConfigured"),
            ("nobody", SETTINGS, True, "TenantNotFound"),
            ("acme", SETTINGS, False, "Provisioning"),
        ],
    )
    async def test_what_cannot_be_started_yet_says_why_and_is_tried_again(
        self, tenant: str, settings: Settings, *, keys: bool, reason: str
    ) -> None:
        cluster = Cluster(settings)
        if keys:
            await cluster.keys()
        cluster.world.put(backup_body(tenant=tenant))
        assert (await cluster.reconcile()).retry_after == WAIT_SECONDS
        assert cluster.said()[:2] == ("False", reason)
        assert JOB not in cluster.world.kube.objects

    async def test_keys_that_cannot_be_opened_are_told(self, cluster: Cluster) -> None:
        (escrow,) = [one for one in cluster.world.kube.objects if one[2] == f"escrow-{cluster.ident}"]
        cluster.world.kube.objects[escrow]["data"]["sealed"] = ""
        await cluster.reconcile()
        assert cluster.said()[:2] == ("False", "KeysLost")

    async def test_one_that_is_gone_is_gone(self, cluster: Cluster) -> None:
        assert (await cluster.reconcile("another")).gone
