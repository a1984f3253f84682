"""The accounts of AWS. moto stands in for AWS, which cannot be had here: its IAM, and its S3 with IAM's rights."""

from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from support import aws
from support.aws import Aws
from vivero_core.backends.corrections import Correction
from vivero_core.backends.credentials import Credentials
from vivero_core.backends.s3 import iam
from vivero_core.backends.s3.iam import IamStorageAdmin
from vivero_core.backends.s3.protocol import StorageAdmin
from vivero_core.backends.s3.transport import Call, Endpoint, Transport
from vivero_core.errors import (
    BackendAuthenticationError,
    BackendKeyGoneError,
    BackendRefusedError,
    BackendUnavailableError,
    BackendUnfinishedError,
)
from vivero_core.model import naming

ONE, OTHER = (naming.bucket_name(naming.tenant_id(uid)) for uid in ("one", "other"))
ID = ONE.removeprefix("vivero-")
ACCOUNT = [Correction.STORAGE_ACCOUNT]
IAM_NAME_AT_MOST = 64


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    with aws.account(tmp_path_factory.mktemp("aws")) as found:
        yield found


@pytest.fixture(scope="module")
def only_admin(moto: Aws) -> Iterator[IamStorageAdmin]:
    """One for all tests, as one is for the life of the operator: what it remembers has to be right each time."""
    admin = IamStorageAdmin(Endpoint(moto.url, aws.REGION, moto.authority), moto.admin, moto.url)
    yield admin
    admin.close()


@pytest.fixture
def admin(only_admin: IamStorageAdmin, moto: Aws) -> Iterator[IamStorageAdmin]:
    """On an account without tenants."""
    yield only_admin
    moto.refusals.clear()
    for name in (ONE, OTHER):
        only_admin.delete_account(name)
        only_admin.delete_bucket(name)


def make(admin: StorageAdmin, name: str) -> Credentials:
    """As the operator does; the key and its secret."""
    key = admin.new_key(name)
    assert admin.ensure_account(Credentials(name, key.secret), key.name) == ACCOUNT
    assert admin.ensure_bucket(name, name) == [Correction.BUCKET]
    return key


def ensure(admin: StorageAdmin, name: str, key: Credentials) -> list[Correction]:
    return [*admin.ensure_account(Credentials(name, key.secret), key.name), *admin.ensure_bucket(name, name)]


def keys(moto: Aws, name: str) -> dict[str, str]:
    found = moto.person.list_access_keys(UserName=name)["AccessKeyMetadata"]
    return {one["AccessKeyId"]: one["Status"] for one in found}


def test_a_tenant_is_made_once_and_uses_its_bucket_alone(admin: IamStorageAdmin, moto: Aws) -> None:
    admin.ping()
    key, other = make(admin, ONE), make(admin, OTHER)
    assert ensure(admin, ONE, key) == []
    assert admin.prove(key, ONE) > 0
    with pytest.raises(BackendRefusedError):
        admin.prove(other, ONE)
    found = moto.person.get_user(UserName=ONE)["User"]
    assert found["Path"] == "/vivero/"
    assert len(found["UserName"]) <= IAM_NAME_AT_MOST
    assert admin.bucket_exists(ONE)
    assert not admin.holds_data(ONE)
    assert admin.inventory()[ID] == {"bucket", "storage account"}


@pytest.mark.parametrize("call", ["list of its buckets", "its own policy", "another key", "the bucket's policy"])
def test_a_tenants_key_opens_nothing_else(admin: IamStorageAdmin, moto: Aws, call: str) -> None:
    key = make(admin, ONE)
    transport = Transport(Endpoint(moto.url, aws.REGION, moto.authority))
    own = iam.IamAccounts(transport, key, moto.url)
    attempts: dict[str, Callable[[], object]] = {
        "list of its buckets": own.buckets,
        "its own policy": lambda: own._iam.put_user_policy(UserName=ONE, PolicyName="x", PolicyDocument="{}"),  # noqa: SLF001
        "another key": lambda: own.new_key(ONE),
        "the bucket's policy": lambda: transport.done(Call("GET", f"/{ONE}", query={"policy": ""}), key),
    }
    with pytest.raises((BackendRefusedError, own._iam.exceptions.ClientError), match="AccessDenied"):  # noqa: SLF001
        attempts[call]()
    transport.close()


def other_policy(moto: Aws) -> None:
    moto.person.put_user_policy(UserName=ONE, PolicyName="more", PolicyDocument=aws.EVERYTHING)


def attached_policy(moto: Aws) -> None:
    made = moto.person.create_policy(PolicyName="all", PolicyDocument=aws.EVERYTHING)
    moto.person.attach_user_policy(UserName=ONE, PolicyArn=made["Policy"]["Arn"])


def group(moto: Aws) -> None:
    with suppress(moto.person.exceptions.EntityAlreadyExistsException):
        moto.person.create_group(GroupName="staff")
    moto.person.add_user_to_group(GroupName="staff", UserName=ONE)


HANDS: dict[str, Callable[[Aws], object]] = {
    "policy changed": lambda moto: moto.person.put_user_policy(
        UserName=ONE, PolicyName=iam.POLICY, PolicyDocument=aws.EVERYTHING
    ),
    "policy of the neighbour": lambda moto: moto.person.put_user_policy(
        UserName=ONE, PolicyName=iam.POLICY, PolicyDocument=iam.policy(OTHER)
    ),
    "policy removed": lambda moto: moto.person.delete_user_policy(UserName=ONE, PolicyName=iam.POLICY),
    "policy added": other_policy,
    "policy attached": attached_policy,
    "group joined": group,
    "key added": lambda moto: moto.person.create_access_key(UserName=ONE),
}


@pytest.mark.parametrize("name", HANDS)
def test_a_change_is_seen_and_put_right(admin: IamStorageAdmin, moto: Aws, name: str) -> None:
    key, other = make(admin, ONE), make(admin, OTHER)
    before = admin.survey()
    assert before == admin.survey()
    HANDS[name](moto)
    changed = admin.survey()
    assert changed[ID] != before[ID]
    assert changed[OTHER.removeprefix("vivero-")] == before[OTHER.removeprefix("vivero-")]
    assert ensure(admin, ONE, key) == ACCOUNT
    assert ensure(admin, ONE, key) == []
    assert admin.survey() == before
    assert keys(moto, ONE) == {key.name: "Active"}
    admin.prove(key, ONE)
    with pytest.raises(BackendRefusedError):
        admin.prove(key, OTHER)
    admin.prove(other, OTHER)


def test_a_user_that_is_gone_is_made_again_with_another_key(admin: IamStorageAdmin) -> None:
    key = make(admin, ONE)
    before = admin.survey()
    admin.delete_account(ONE)
    assert admin.survey() != before
    with pytest.raises(BackendKeyGoneError):
        ensure(admin, ONE, key)
    key = admin.new_key(ONE)
    ensure(admin, ONE, key)
    admin.prove(key, ONE)


@pytest.mark.parametrize("how", ["removed", "inactive", "another secret", "unknown"])
def test_a_key_that_does_not_work_needs_another(admin: IamStorageAdmin, moto: Aws, how: str) -> None:
    key = make(admin, ONE)
    before = admin.survey()
    if how == "removed":
        moto.person.delete_access_key(UserName=ONE, AccessKeyId=key.name)
    if how == "inactive":
        moto.person.update_access_key(UserName=ONE, AccessKeyId=key.name, Status="Inactive")
    told = {"another secret": Credentials(key.name, "typed"), "unknown": Credentials(ONE, key.secret)}.get(how, key)
    if told == key:
        assert admin.survey()[ID] != before[ID]
    with pytest.raises(BackendKeyGoneError):
        ensure(admin, ONE, told)
    new = admin.new_key(ONE)
    assert set(ensure(admin, ONE, new)) <= set(ACCOUNT)
    assert keys(moto, ONE) == {new.name: "Active"}
    admin.prove(new, ONE)
    with pytest.raises(BackendAuthenticationError):
        admin.prove(key, ONE)


def test_a_rotation_keeps_the_old_key_until_the_new_one_is_known(admin: IamStorageAdmin, moto: Aws) -> None:
    old = make(admin, ONE)
    new = admin.new_key(ONE)
    admin.prove(old, ONE)
    assert keys(moto, ONE) == {old.name: "Active", new.name: "Active"}
    assert ensure(admin, ONE, new) == ACCOUNT
    assert keys(moto, ONE) == {new.name: "Active"}


def test_keys_that_a_crash_left_make_room(admin: IamStorageAdmin, moto: Aws) -> None:
    """IAM lets a user have two; one that works outlives one that does not, whichever is older."""
    first, lost = make(admin, ONE), admin.new_key(ONE)
    moto.person.update_access_key(UserName=ONE, AccessKeyId=lost.name, Status="Inactive")
    second = admin.new_key(ONE)
    assert keys(moto, ONE) == {first.name: "Active", second.name: "Active"}


def test_a_new_key_that_s3_does_not_know_yet_is_waited_for(
    admin: IamStorageAdmin, moto: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eventual consistency, which moto does not have: S3 is asked with a key that it does not know."""
    key, signed = make(admin, ONE), Transport.signed

    def early(self: Transport, call: Call, login: Credentials) -> object:
        known = login if login.name != key.name else Credentials("AKIANOTYET", login.secret)
        return signed(self, call, known)

    with monkeypatch.context() as patch:
        patch.setattr(Transport, "signed", early)
        with pytest.raises(BackendUnfinishedError, match="yet"):
            ensure(admin, ONE, key)
    assert ensure(admin, ONE, key) == []
    assert keys(moto, ONE) == {key.name: "Active"}


def test_a_new_key_that_no_list_shows_yet_is_waited_for(
    admin: IamStorageAdmin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As above; one that stays away is taken for gone."""
    make(admin, ONE)
    key = admin.new_key(ONE)
    monkeypatch.setattr(iam.IamAccounts, "_keys", lambda *_: [])
    with pytest.raises(BackendUnfinishedError, match="yet"):
        ensure(admin, ONE, key)
    with pytest.raises(BackendKeyGoneError):
        ensure(admin, ONE, Credentials("AKIAOLD", key.secret))
    monkeypatch.setattr(iam, "SETTLES_SECONDS", 0.0)
    with pytest.raises(BackendKeyGoneError):
        ensure(admin, ONE, key)


def test_a_user_that_iam_does_not_show_yet_is_waited_for(admin: IamStorageAdmin, moto: Aws) -> None:
    """IAM says so in place of an answer, first to the second call, then to the third."""
    moto.refusals += ["EntityAlreadyExists", "NoSuchEntity"]
    admin._accounts._users.put({})  # type: ignore[attr-defined]  # noqa: SLF001  the list is known
    with pytest.raises(BackendUnfinishedError, match="yet"):
        admin.ensure_account(Credentials(ONE, "secret"), "AKIA")
    moto.refusals += ["EntityAlreadyExists", "NoSuchEntity", "NoSuchEntity"]
    with pytest.raises(BackendUnfinishedError, match="yet"):
        admin.new_key(ONE)


def test_a_list_that_does_not_show_a_new_user_yet_does_no_harm(
    admin: IamStorageAdmin, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = make(admin, ONE)
    monkeypatch.setattr(admin._accounts, "_users", type("Empty", (), {"get": dict, "invalidate": lambda _: None})())  # noqa: SLF001
    assert ensure(admin, ONE, key) == ACCOUNT
    admin.prove(key, ONE)


@pytest.mark.parametrize("code", ["Throttling", "RequestLimitExceeded"])
def test_who_is_throttled_tries_again_and_then_backs_off(admin: IamStorageAdmin, moto: Aws, code: str) -> None:
    key = make(admin, ONE)
    moto.refusals += [code] * (iam.ATTEMPTS - 1)
    assert ensure(admin, ONE, key) == []
    moto.refusals += [code] * iam.ATTEMPTS
    with pytest.raises(BackendUnavailableError, match=code):
        ensure(admin, ONE, key)
    assert ensure(admin, ONE, key) == []


def test_a_user_goes_after_all_that_it_has(admin: IamStorageAdmin, moto: Aws) -> None:
    key = make(admin, ONE)
    group(moto)
    other_policy(moto)
    moto.person.create_login_profile(UserName=ONE, Password="a-Password-1")
    moto.calls.clear()
    assert admin.delete_account(ONE)
    done = [one for one in moto.calls if one.startswith(("Delete", "Remove"))]
    assert done[0] == "DeleteAccessKey"
    assert done[-1] == "DeleteUser"
    assert not admin.delete_account(ONE)
    with pytest.raises(BackendAuthenticationError):
        admin.prove(key, ONE)
    assert admin.inventory()[ID] == {"bucket"}


def test_what_is_gone_meanwhile_is_as_good_as_removed(admin: IamStorageAdmin, moto: Aws) -> None:
    """A list is older than the call that follows it."""
    key = make(admin, ONE)
    other_policy(moto)
    admin._accounts._users.invalidate()  # type: ignore[attr-defined]  # noqa: SLF001
    admin._accounts._users.get()  # type: ignore[attr-defined]  # noqa: SLF001
    moto.person.delete_user_policy(UserName=ONE, PolicyName="more")
    assert ensure(admin, ONE, key) == ACCOUNT
    assert ensure(admin, ONE, key) == []


def test_a_person_with_a_tenants_name_is_no_tenants(admin: IamStorageAdmin, moto: Aws) -> None:
    """Somebody else's user at another path: never listed, and the operator may not touch it."""
    moto.person.create_user(UserName=ONE, Path="/staff/")
    assert ID not in admin.inventory()
    moto.person.delete_user(UserName=ONE)


def test_a_bucket_goes_with_all_it_holds(admin: IamStorageAdmin, moto: Aws) -> None:
    key = make(admin, ONE)
    transport = Transport(Endpoint(moto.url, aws.REGION, moto.authority))
    for number in range(3):
        transport.done(Call("PUT", f"/{ONE}/{number}", b"x"), key)
    transport.close()
    assert admin.holds_data(ONE)
    assert admin.delete_bucket(ONE)
    assert not admin.bucket_exists(ONE)
