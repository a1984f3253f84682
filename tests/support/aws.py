"""AWS stood in for by moto, over HTTPS, in this process: IAM, and an S3 that asks IAM who may do what.

AWS itself cannot be had where these tests run. moto checks signatures, keys and policies; it is consistent at once and
throttles nobody, so a test that is about those puts the answers in by itself.
"""

import io
import json
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs

import httpx
from boto3.session import Session
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.models import OWNER
from vivero_core.backends.credentials import Credentials
from vivero_dev.certificates import Authority
from werkzeug.serving import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from types_boto3_iam.client import IAMClient

HOST = "127.0.0.1"
REGION = "eu-central-1"
OPERATORS_RIGHTS = Path(__file__).parents[2] / "docs/examples/aws-operator-policy.json"
EVERYTHING = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'

Environ = dict[str, Any]
Start = Callable[[str, list[tuple[str, str]]], object]
Application = Callable[[Environ, Start], Iterable[bytes]]


@dataclass
class Aws:
    """One AWS account.

    Attributes:
        admin: the operator's own user, with the rights that the guide gives it and no other.
        person: the client of somebody who may do everything.
        refusals: error codes that the next calls of IAM get in place of an answer.
        calls: actions of IAM, in order.
    """

    url: str
    authority: str
    admin: Credentials
    person: "IAMClient"
    refusals: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)


class _Quiet(WSGIRequestHandler):
    def log(self, *_: object) -> None:
        """Nothing."""


_OWNER_OF_LIST: Final = b"bcaf1ffd86f41161ca5fb16fd081034f"


class _Door:
    """Before moto: notes what IAM is asked, and refuses what a test says.

    An AWS account has one canonical id, moto two: here the list of buckets has that of everything else.
    """

    def __init__(self, behind: Application) -> None:
        self._behind = behind
        self.aws: Aws | None = None

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        if self.aws is None or "/iam/" not in environ.get("HTTP_AUTHORIZATION", ""):
            return self._with_one_owner(environ, start)
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        environ["wsgi.input"] = io.BytesIO(body)
        self.aws.calls.append(parse_qs(body.decode())["Action"][0])
        if not self.aws.refusals:
            return self._behind(environ, start)
        start("400 Bad Request", [("Content-Type", "text/xml")])
        code = self.aws.refusals.pop(0)
        return [f"<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>".encode()]

    def _with_one_owner(self, environ: Environ, start: Start) -> Iterable[bytes]:
        head: list[Any] = []
        answer = self._behind(environ, lambda *words: head.extend(words))
        body = b"".join(answer).replace(_OWNER_OF_LIST, OWNER.encode())
        lengths = {"content-length": str(len(body))}
        start(head[0], [(name, lengths.get(name.lower(), value)) for name, value in head[1]])
        return [body]


@contextmanager
def account(folder: Path) -> Iterator[Aws]:
    """A new account; one at a time, for moto keeps what it knows in this process."""
    authority = Authority(folder)
    ca, pair = authority.ensure(), authority.issue("aws", [HOST])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    door = _Door(DomainDispatcherApplication(create_backend_app))
    server = make_server(HOST, 0, door, threaded=True, request_handler=_Quiet, ssl_context=context)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"https://{HOST}:{server.port}"
    try:
        _tell(url, ca, "reset")
        admin = _user(url, ca, "operator", _for_moto(OPERATORS_RIGHTS.read_text()))
        person = _iam(url, ca, _user(url, ca, "person", EVERYTHING))
        _tell(url, ca, "reset-auth", "0")
        door.aws = Aws(url, ca.read_text(), admin, person)
        yield door.aws
    finally:
        _tell(url, ca, "reset-auth", "inf")
        server.shutdown()
        thread.join()
        server.server_close()


def _tell(url: str, ca: Path, what: str, content: str = "") -> None:
    """Moto itself: to forget everything, or after how many calls it asks for rights."""
    trusted = ssl.create_default_context(cafile=str(ca))
    httpx.post(f"{url}/moto-api/{what}", content=content, verify=trusted, timeout=60).raise_for_status()


def _for_moto(rights: str) -> str:
    """It tells actions of IAM apart, and not which user they are about; to delete several objects it asks for the bucket."""
    document = json.loads(rights)
    for statement in document["Statement"]:
        of_iam = statement["Action"][0].startswith("iam:")
        statement["Resource"] = "*" if of_iam else statement["Resource"].removesuffix("/*")
    return json.dumps(document)


def _user(url: str, ca: Path, name: str, rights: str) -> Credentials:
    iam = _iam(url, ca, Credentials("nobody", "nothing"))
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="rights", PolicyDocument=rights)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


def _iam(url: str, ca: Path, login: Credentials) -> "IAMClient":
    return Session().client(
        "iam",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=login.name,
        aws_secret_access_key=login.secret,
        verify=str(ca),
    )
