"""Empties a bucket: unfinished uploads, objects, every version of them."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from vivero_core.backends.s3.errors import SYSTEM, from_answer
from vivero_core.errors import BackendUnavailableError

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client
    from types_boto3_s3.type_defs import ObjectIdentifierTypeDef

PAGE = 1000  # as many as one DeleteObjects takes


def empty(s3: "S3Client", bucket: str, seconds: float) -> None:
    """Delete page after page.

    Raises:
        BackendUnavailableError: not empty after `seconds`; call again to go on.
    """
    deadline = time.monotonic() + seconds
    for upload in s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
        s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    for page in _pages(s3, bucket):
        failed = s3.delete_objects(Bucket=bucket, Delete={"Objects": page, "Quiet": True}).get("Errors", [])
        if failed:
            raise from_answer(f"empty {bucket}", 200, failed[0].get("Code", ""))
        if time.monotonic() > deadline:
            raise BackendUnavailableError(SYSTEM, f"bucket {bucket} is large: erasing goes on")


def _pages(s3: "S3Client", bucket: str) -> Iterator[list["ObjectIdentifierTypeDef"]]:
    """Always the first page of what is left, until nothing is."""
    while True:
        listed = s3.list_object_versions(Bucket=bucket, MaxKeys=PAGE)
        found: list[ObjectIdentifierTypeDef] = [
            {"Key": entry["Key"], "VersionId": entry["VersionId"]}
            for entry in (*listed.get("Versions", []), *listed.get("DeleteMarkers", []))
        ]
        if not found:
            return
        yield found
