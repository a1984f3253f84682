"""What the operator and a tenant may do on AWS, by the documents that say so."""

import json
from pathlib import Path
from typing import Any

import pytest
from vivero_core.backends.s3 import iam
from vivero_core.model import naming

EXAMPLES = Path(__file__).parents[3] / "docs/examples"
ONE, OTHER = (naming.bucket_name(naming.tenant_id(uid)) for uid in ("one", "other"))


def statements(text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(text)["Statement"]
    return found


def actions(text: str) -> set[str]:
    return {action for one in statements(text) for action in one["Action"]}


def test_a_tenant_may_do_what_the_data_plane_does() -> None:
    policy = iam.policy(ONE)
    assert actions(policy) == {"s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:DeleteObject"}
    resources = {resource for one in statements(policy) for resource in one["Resource"]}
    assert resources == {f"arn:aws:s3:::{ONE}", f"arn:aws:s3:::{ONE}/*"}
    assert OTHER not in policy


@pytest.mark.parametrize("name", ["aws-operator-policy.json", "aws-elasticache-policy.json"])
def test_nothing_is_granted_by_wildcard(name: str) -> None:
    assert not {one for one in actions((EXAMPLES / name).read_text()) if "*" in one}


def test_the_operator_reads_no_tenants_objects_and_writes_no_one_elses_users() -> None:
    text = (EXAMPLES / "aws-operator-policy.json").read_text()
    assert not {one for one in actions(text) if one.startswith(("s3:GetObject", "s3:PutObject"))}
    everywhere = {action for one in statements(text) if one["Resource"] == "*" for action in one["Action"]}
    assert everywhere == {"iam:GetAccountAuthorizationDetails", "s3:ListAllMyBuckets"}
    writes = [one for one in statements(text) if "iam:PutUserPolicy" in one["Action"]]
    assert [one["Resource"] for one in writes] == [f"arn:aws:iam::*:user{iam.PATH}*"]


def test_the_bound_of_tenants_users_leaves_them_what_they_do() -> None:
    (bound,) = statements((EXAMPLES / "aws-tenants-scp.json").read_text())
    assert bound["Effect"] == "Deny"
    assert set(bound["NotAction"]) == actions(iam.policy(ONE))
    assert bound["Condition"] == {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::*:user{iam.PATH}*"}}


def test_the_names_fit() -> None:
    """IAM takes 64 characters for a user, S3 63 for a bucket."""
    assert len(ONE) <= 63
