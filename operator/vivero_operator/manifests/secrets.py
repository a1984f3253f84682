"""The Secrets a tenant's pod reads its credentials and limits from; file names and keys are the data plane's contract."""

import base64
import json

from vivero_core.model import constants as c
from vivero_core.model import naming

from vivero_operator.instance import DatabaseAddress, Instance, Manifest, TenantKeys, digest, metadata, sealed

DATABASE, CACHE, STORAGE, APP_KEYS, LIMITS = "database", "cache", "storage", "app", "limits"
NAMES = (DATABASE, CACHE, STORAGE, APP_KEYS, LIMITS)
LIMITS_FILE = "limits.json"
AUDIT_KEY = "audit"
"""Of Secret `database`: the schema of the audit log."""
TRIAL_END, HOLDS_DATA, PLAN_URL, CONFIRM_URL = "trial_ends_at", "holds_data", "plan_url", "confirm_url"
_NO_LIMITS = (TRIAL_END, HOLDS_DATA, PLAN_URL)


def _secret(
    instance: Instance, name: str, content: dict[str, str], annotations: dict[str, str] | None = None
) -> Manifest:
    meta = metadata(instance, name)
    if annotations:
        meta["annotations"] = annotations
    data = {key: base64.b64encode(value.encode()).decode() for key, value in content.items()}
    return sealed({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": "Opaque", "data": data})


def database(instance: Instance, keys: TenantKeys, address: DatabaseAddress) -> Manifest:
    content = {
        "username": naming.database_users(instance.id)[0],
        "password": keys.database_password,
        "host": address.host,
        "port": str(address.port),
        "name": naming.database_name(instance.id),
        AUDIT_KEY: naming.audit_database_name(instance.id),
    }
    # The placement is recorded before anything is made on the server: a crash cannot place a tenant twice.
    told = {c.ANNOTATION_DATABASE_SERVER: address.server, c.ANNOTATION_CONNECTIONS: str(instance.connections)}
    return _secret(instance, DATABASE, content, told)


def cache(instance: Instance, keys: TenantKeys) -> Manifest:
    content = {
        "username": naming.cache_user(instance.id),
        "password": keys.cache_password,
        "host": instance.settings.valkey_host,
        "port": str(instance.settings.valkey_port),
        "prefix": naming.cache_prefix(instance.id),
    }
    return _secret(instance, CACHE, content)


def storage(instance: Instance, keys: TenantKeys) -> Manifest:
    bucket = naming.bucket_name(instance.id)
    content = {
        "access_key": keys.storage_access_key or bucket,
        "secret_key": keys.storage_secret,
        "endpoint": instance.settings.s3_endpoint,
        "bucket": bucket,
        "region": instance.settings.s3_region,
    }
    return _secret(instance, STORAGE, content)


def app(instance: Instance, keys: TenantKeys) -> Manifest:
    content = {
        "signing_key": keys.signing_key,
        "file_key": keys.file_key,
        "operator_token": keys.operator_token,
    }
    return _secret(instance, APP_KEYS, content)


def differ_in_limits(one: Manifest, other: Manifest) -> bool:
    """Whether these two Secrets differ in more than the end of the trial, whether there is data, and addresses of pages."""
    return _lasting(one) != _lasting(other)


def _lasting(secret: Manifest) -> object:
    try:
        document = json.loads(base64.b64decode(secret.get("data", {}).get(LIMITS_FILE, "")))
    except ValueError:
        return None  # someone put something else there
    unconfirmed = {CONFIRM_URL: True} if document.get(CONFIRM_URL) else {}
    return {key: value for key, value in document.items() if key not in _NO_LIMITS} | unconfirmed


def limits_content(instance: Instance) -> str:
    """limits.json: null means unlimited; the end of a trial only where there is one, and where plans are sold likewise.

    `holds_data` keeps a program from making an empty schema in place of one that is gone. `confirm_url` is there until the
    owner's address is confirmed: a spare has it, so that a claim by a signup changes no limit.
    """
    limits, ends = instance.limits, instance.trial_ends_at
    account, slug = instance.settings.account_url, instance.tenant.spec.slug
    holds_data = instance.tenant.holds_data and not instance.tenant.is_spare
    document = {
        "plan": instance.plan.name,
        "records": limits.records,
        "users": limits.users,
        "storage_bytes": limits.storage_bytes,
        "requests_per_minute": limits.requests_per_minute,
        "features": list(instance.plan.spec.features),
    }
    document |= ({TRIAL_END: ends.isoformat()} if ends else {}) | ({HOLDS_DATA: True} if holds_data else {})
    document |= {PLAN_URL: f"{account}?workspace={slug}"} if account and slug else {}
    document |= (
        {} if instance.owner_confirmed else {CONFIRM_URL: f"{instance.settings.confirm_url}?workspace={slug or ''}"}
    )
    return json.dumps(document, indent=2, sort_keys=True)


def limits_digest(instance: Instance) -> str:
    return digest(limits_content(instance))


def limits(instance: Instance, *, changed: bool = False) -> Manifest:
    """`changed`: these are not the limits the tenant started with, so its pods have to be notified."""
    annotations = {c.ANNOTATION_LIMITS: limits_digest(instance)} if changed else None
    return _secret(instance, LIMITS, {LIMITS_FILE: limits_content(instance)}, annotations)
