"""A survey shows whose things were touched, whatever was touched, and nobody else's."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.s3.client import VersityStorageAdmin
from vivero_core.backends.s3.transport import Call
from vivero_core.backends.valkey.client import ValkeyAdmin

MakeTenant = Callable[[], Any]


@pytest.mark.parametrize("rules", [["~*"], ["+@admin"], ["nopass"], ["off"], [">another"], ["&*"], []])
def test_cache(cache_admin: ValkeyAdmin, new_tenant: MakeTenant, rules: list[str]) -> None:
    victim, neighbour = new_tenant(), new_tenant()
    before = cache_admin.survey()
    assert before == cache_admin.survey()
    name = victim.cache_user.name
    cache_admin._client.execute_command(*(["ACL", "SETUSER", name, *rules] if rules else ["ACL", "DELUSER", name]))  # type: ignore[no-untyped-call]  # noqa: SLF001
    after = cache_admin.survey()
    assert before[victim.id] != after.get(victim.id)
    assert before[neighbour.id] == after[neighbour.id]


def open_policy(bucket: str) -> bytes:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}).encode()


class TestStorage:
    @pytest.fixture(params=["policy", "owner", "secret", "bucket", "account"])
    def tamper(
        self, request: pytest.FixtureRequest, storage_admin: VersityStorageAdmin, new_tenant: MakeTenant
    ) -> Callable[[Any], None]:
        def hand(victim: Any) -> None:  # noqa: ANN401  the login that `new_tenant` makes
            match request.param:
                case "policy":
                    call = Call("PUT", f"/{victim.bucket}", open_policy(victim.bucket), {"policy": ""})
                    storage_admin._transport.signed(call, storage_admin._admin).raise_for("tamper")  # noqa: SLF001
                case "owner":
                    storage_admin.ensure_bucket(victim.bucket, new_tenant().account.name)
                case "secret":
                    storage_admin.ensure_account(Credentials(victim.account.name, "another-secret"))
                case "bucket":
                    storage_admin.delete_bucket(victim.bucket)
                case "account":
                    storage_admin.delete_account(victim.account.name)

        return hand

    def test_storage(
        self, storage_admin: VersityStorageAdmin, new_tenant: MakeTenant, tamper: Callable[[Any], None]
    ) -> None:
        victim, neighbour = new_tenant(), new_tenant()
        before = storage_admin.survey()
        assert before == storage_admin.survey()
        tamper(victim)
        after = storage_admin.survey()
        assert before[victim.id] != after.get(victim.id)
        assert before[neighbour.id] == after[neighbour.id]
        # And what was tampered with is put right by the calls that made it.
        account = storage_admin.ensure_account(victim.account)
        bucket = storage_admin.ensure_bucket(victim.bucket, victim.account.name)
        assert account or bucket
        assert storage_admin.survey()[victim.id] == before[victim.id]
