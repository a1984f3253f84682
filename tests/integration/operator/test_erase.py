"""The program of a TenantErasure on the real S3 server: what it removes, unfinished uploads too, and what it leaves."""

import json
import secrets

import pytest
from integration.operator.backups import Given, erase
from vivero_core.backends.tally import tally
from vivero_operator.operations.erase import STEPS
from vivero_operator.operations.errors import StepFailedError
from vivero_operator.operations.orders import ORDER_FILE, EraseOrder
from vivero_operator.operations.program import Files

pytestmark = pytest.mark.usefixtures("neighbour_stays")


@pytest.fixture
def uid() -> str:
    return secrets.token_hex(8)


def run(given: Given, uid: str, *steps: str) -> dict[str, object]:
    order = EraseOrder(given.login.id, uid, None, 0, {"id": given.login.id, "erasure": uid, "orderedBy": "request 17"})
    (given.folder / ORDER_FILE).write_text(order.dump())
    result: dict[str, object] = {}
    for name in steps or tuple(STEPS):
        result = STEPS[name](Files(given.folder)).result
    return result


def test_backups_log_and_uploads_go_and_the_neighbours_stay(given: Given, uid: str) -> None:
    given.run("u1")
    ident, neighbour = given.login.id, f"{secrets.token_hex(5)}/log/0001"
    upload = given.kept.create_multipart_upload(Bucket=given.bucket, Key=f"{ident}/files/half")
    given.replace(f"{ident}/log/ü", b"sealed")
    given.replace(neighbour, b"sealed")
    keys = sorted(given.all_stored(), key=str.encode)
    try:
        result = run(given, uid)
        assert given.all_stored() == {}
        left = given.kept.list_multipart_uploads(Bucket=given.bucket, Prefix=f"{ident}/").get("Uploads", [])
        assert upload["UploadId"] not in [one["UploadId"] for one in left]
        assert given.stored(neighbour) == b"sealed"
        receipt = json.loads(given.stored(f"erasures/{ident}.json"))
        assert receipt["erasedCopies"] == {"kind": "backup objects", "count": len(keys), "sha256": tally(keys).sha256}
        assert result["receipt"] == f"erasures/{ident}.json"
        assert "copies_until" not in result
    finally:
        erase(given.kept, given.bucket, neighbour)
        erase(given.kept, given.bucket, f"erasures/{ident}")


def test_what_comes_between_two_steps_is_no_success(given: Given, uid: str) -> None:
    given.run("u1")
    try:
        run(given, uid, "objects")
        given.replace(f"{given.login.id}/log/0002", b"late")
        with pytest.raises(StepFailedError, match="is still there, and no lock keeps it"):
            run(given, uid, "receipt")
        run(given, uid)
        assert given.all_stored() == {}
    finally:
        erase(given.kept, given.bucket, f"erasures/{given.login.id}")
