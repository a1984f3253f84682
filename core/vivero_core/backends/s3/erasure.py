"""Empties a bucket: unfinished uploads, objects, every version of them."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from vivero_core.backends.s3.errors import SYSTEM, from_answer
from vivero_core.errors import BackendUnfinishedError

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client
    from types_boto3_s3.type_defs import ObjectIdentifierTypeDef

PAGE: Final = 1000  # listed at once: a long list is a walk through the whole folder each time
BATCH: Final = 250  # deleted at once: in five seconds, if one takes 20 ms


def empty(s3: "S3Client", bucket: str, seconds: float) -> None:
    """Delete batch after batch; at least one goes at each call.

    Raises:
        BackendUnfinishedError: not empty after `seconds`; call again to continue.
    """
    deadline = time.monotonic() + seconds
    for upload in _uploads(s3, bucket):
        s3.abort_multipart_upload(Bucket=bucket, Key=upload[0], UploadId=upload[1])
        _stop_after(deadline, bucket)
    for batch in _batches(s3, bucket):
        answer = s3.delete_objects(
            Bucket=bucket,
            Delete={"Objects": batch, "Quiet": True},
            BypassGovernanceRetention=True,  # a person's lock on the bucket is no reason to keep a tenant's data
        )
        if failed := answer.get("Errors", []):
            raise from_answer(f"empty {bucket}", 200, failed[0].get("Code", ""))
        _stop_after(deadline, bucket)


def keys(s3: "S3Client", bucket: str) -> Iterator[str]:
    """Of every object, once for each of its versions."""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for entry in page.get("Versions", []):
            yield entry["Key"]


def _stop_after(deadline: float, bucket: str) -> None:
    if time.monotonic() > deadline:
        raise BackendUnfinishedError(SYSTEM, f"bucket {bucket} is large, deletion continues at the next call")


def _uploads(s3: "S3Client", bucket: str) -> Iterator[tuple[str, str]]:
    """Always the first page of what is left, until nothing is."""
    while found := s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
        for upload in found:
            yield upload["Key"], upload["UploadId"]


def _batches(s3: "S3Client", bucket: str) -> Iterator[list["ObjectIdentifierTypeDef"]]:
    """Always from the first page of what is left, until nothing is."""
    while True:
        listed = s3.list_object_versions(Bucket=bucket, MaxKeys=PAGE)
        found: list[ObjectIdentifierTypeDef] = [
            {"Key": entry["Key"], "VersionId": entry["VersionId"]}
            for entry in (*listed.get("Versions", []), *listed.get("DeleteMarkers", []))
        ]
        if not found:
            return
        for start in range(0, len(found), BATCH):
            yield found[start : start + BATCH]
