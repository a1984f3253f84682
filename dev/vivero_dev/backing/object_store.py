"""versitygw as S3 server: accounts, bucket owners and versions on a plain folder."""

from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from types_boto3_s3.client import S3Client

from vivero_dev.backing.accounts import Account
from vivero_dev.health import Health

REGION = "us-east-1"
# Both default to a hundred times what two cores can serve.
MAX_CONNECTIONS = 2000
MAX_REQUESTS = 1000


def arguments(folder: str, listen: str) -> list[str]:
    """Arguments of versitygw; accounts, data and versions lie in `folder`, as it sees it.

    `listen` is an address or a socket that only the TLS proxy can reach: the
    server's own TLS would allow version 1.2.
    """
    return [
        f"--port={listen}",
        f"--region={REGION}",
        f"--iam-dir={folder}/iam",
        f"--max-connections={MAX_CONNECTIONS}",
        f"--max-requests={MAX_REQUESTS}",
        "--keep-alive",
        # Of versitygw 1.8, the cached accounts' names point into buffers of requests, and become the names that
        # later requests bring: an account that nobody made yet then has the secret of another.
        "--iam-cache-disable",
        # Requests would be logged with object names, which are tenants' data.
        "--quiet",
        "posix",
        f"--versioning-dir={folder}/versions",
        f"{folder}/data",
    ]


def environment(account: Account) -> dict[str, str]:
    """The administrator's keys. Not arguments: those are in every process list."""
    return {"ROOT_ACCESS_KEY": account.username, "ROOT_SECRET_KEY": account.password}


def client(endpoint: str, account: Account, authority: Path, *, attempts: int = 3) -> S3Client:
    """More than one attempt: the server may close a connection that was idle just when it is used again."""
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=account.username,
        aws_secret_access_key=account.password,
        region_name=REGION,
        verify=str(authority),
        config=Config(
            connect_timeout=5,
            read_timeout=10,
            retries={"mode": "standard", "total_max_attempts": attempts},
            # On a busy machine versitygw 1.8 takes the end of a body with a checksum behind it for the next request.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


def health(endpoint: str, account: Account, authority: Path) -> Health:
    try:
        buckets = len(client(endpoint, account, authority, attempts=1).list_buckets()["Buckets"])
    except (BotoCoreError, ClientError) as error:
        return Health("s3", ok=False, message=str(error))
    return Health("s3", ok=True, message=f"{buckets} buckets at {endpoint}")
