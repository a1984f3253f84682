"""versitygw as S3 server: accounts, bucket owners and versions on a plain folder."""

import os
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from types_boto3_s3.client import S3Client

from vivero_dev.health import Health
from vivero_dev.native.services.base import FIRST_UID, LOOPBACK, VIEW, ServiceHost
from vivero_dev.processes import ProcessSpec, User
from vivero_dev.steps import Say

USER = User(FIRST_UID + 3, FIRST_UID + 3)
ACCESS_KEY = "vivero-admin"
REGION = "us-east-1"
READY_SECONDS = 20.0
# Both default to a hundred times what two cores can serve.
MAX_CONNECTIONS = 2000
MAX_REQUESTS = 1000


class ObjectStore:
    """The S3 server of an instance; `program` is the versitygw binary."""

    name = "s3"

    def __init__(self, host: ServiceHost, program: Path) -> None:
        self._host = host
        self._program = program
        self.port = host.instance.ports["s3"]

    @property
    def secret_key(self) -> str:
        """Secret of ACCESS_KEY, who may make accounts and buckets."""
        return self._host.secrets.get("s3-admin")

    @property
    def endpoint(self) -> str:
        """Address for programs on this machine."""
        return f"https://{LOOPBACK}:{self.port}"

    def ensure(self, say: Say) -> str:
        folder = self._host.own_folder(self.name, USER)
        for part in ("iam", "versions"):
            (folder / part).mkdir(mode=0o700, exist_ok=True)
            os.chown(folder / part, USER.uid, USER.gid)
        (folder / "versitygw").touch()
        say("starting")
        self._host.processes.ensure(self._process(folder))
        return f"127.0.0.1:{self.port}"

    def health(self) -> Health:
        try:
            buckets = len(self.client().list_buckets()["Buckets"])
        except (BotoCoreError, ClientError) as error:
            return Health(self.name, ok=False, message=str(error))
        return Health(self.name, ok=True, message=f"{buckets} buckets at 127.0.0.1:{self.port}")

    def client(self) -> S3Client:
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=self.secret_key,
            region_name=REGION,
            verify=str(self._host.authority.certificate),
            config=Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 1}),
        )

    def _process(self, folder: Path) -> ProcessSpec:
        listen = [word for address in self._host.addresses for word in ("--port", f"{address}:{self.port}")]
        return ProcessSpec(
            self.name,
            [
                f"{VIEW}/versitygw",
                *listen,
                f"--cert={VIEW}/tls.crt",
                f"--key={VIEW}/tls.key",
                f"--region={REGION}",
                f"--iam-dir={VIEW}/iam",
                f"--max-connections={MAX_CONNECTIONS}",
                f"--max-requests={MAX_REQUESTS}",
                "--keep-alive",
                # Requests would be logged with object names, which are tenants' data.
                "--quiet",
                "posix",
                f"--versioning-dir={VIEW}/versions",
                f"{VIEW}/data",
            ],
            # Not arguments: those are in every process list.
            environment={"ROOT_ACCESS_KEY": ACCESS_KEY, "ROOT_SECRET_KEY": self.secret_key},
            user=USER,
            binds=[(folder, VIEW), (self._program, VIEW / "versitygw")],
            revision=self._host.certificate().certificate.read_text(),
            ready=lambda: self.health().ok,
            deadline=READY_SECONDS,
        )
