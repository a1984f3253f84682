"""The examples that AWS publishes for Signature Version 4 (S3, "Authenticating requests: header")."""

import hashlib
from datetime import UTC, datetime

from vivero_data.clients.sigv4 import UNSIGNED, Signer, canonical_query

SIGNER = Signer("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1")
HOST = "examplebucket.s3.amazonaws.com"
NOW = datetime(2013, 5, 24, tzinfo=UTC)
EMPTY = hashlib.sha256(b"").hexdigest()


def signature(headers: dict[str, str]) -> str:
    return headers["authorization"].rpartition("Signature=")[2]


def test_get_object() -> None:
    headers = SIGNER.headers("GET", HOST, "/test.txt", NOW, extra={"range": "bytes=0-9"}, payload=EMPTY)
    assert signature(headers) == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    assert "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date" in headers["authorization"]


def test_put_object() -> None:
    extra = {"date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY"}
    payload = hashlib.sha256(b"Welcome to Amazon S3.").hexdigest()
    headers = SIGNER.headers("PUT", HOST, "/test$file.text", NOW, extra=extra, payload=payload)
    assert signature(headers) == "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"


def test_list_objects() -> None:
    headers = SIGNER.headers("GET", HOST, "/", NOW, query={"prefix": "J", "max-keys": "2"}, payload=EMPTY)
    assert signature(headers) == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"


def test_bodies_are_left_to_tls() -> None:
    assert SIGNER.headers("PUT", HOST, "/x", NOW)["x-amz-content-sha256"] == UNSIGNED


def test_queries_are_sorted_and_quoted() -> None:
    assert canonical_query({"b": "x y/z", "a": "~*"}) == "a=~%2A&b=x%20y%2Fz"
