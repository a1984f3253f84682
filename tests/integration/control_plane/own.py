"""A control plane's schema and cache user of its own on the platform's services."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pymysql
import valkey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from integration.control_plane.support import ADMIN, DOMAIN, rules
from vivero_control.db.migrate import migrate
from vivero_control.settings import Settings


@contextmanager
def own_settings(platform: dict[str, Any], admin_sql: pymysql.Connection) -> Iterator[Settings]:
    """Migrated, and without anybody of the staff; deleted at the end of the block."""
    name, password = f"cp{secrets.token_hex(4)}", secrets.token_hex(16)
    prefix = f"{name}:"
    cache = urlsplit(platform["valkey"]["url"])
    admin_cache = valkey.Valkey.from_url(platform["valkey"]["url"], ssl_ca_certs=platform["valkey"]["ca"])
    with admin_sql.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        cursor.execute(f"CREATE USER '{name}'@'%' IDENTIFIED BY '{password}'")
        cursor.execute(f"GRANT ALL ON {name}.* TO '{name}'@'%'")
    admin_cache.execute_command("ACL", "SETUSER", name, "reset", "on", f">{password}", *rules(prefix))
    made = Settings.model_validate(
        {
            "public_url": f"https://{DOMAIN}:8443",
            "database": {
                "host": platform["mariadb"]["host"],
                "port": platform["mariadb"]["port"],
                "name": name,
                "username": name,
                "password": password,
            },
            "cache": {
                "host": cache.hostname,
                "port": cache.port,
                "username": name,
                "password": password,
                # Requests of other programs on this machine must not count towards this run's limits.
                "prefix": prefix,
            },
            "app": {
                "session_key": secrets.token_hex(32),
                "ticket_private_key": _ticket_key(),
                "admin_email": ADMIN[0],
                "admin_password": ADMIN[1],
            },
            "platform": {"ca": platform["ca"]},
            "mail": {"host": "127.0.0.1", "port": platform["mail"]["smtp_port"], "security": "starttls"},
            "kube": {"kubeconfig": platform["kubeconfig"]},
            # This machine's resolver need not know the public names.
            "ingress": {"address": "127.0.0.1", "port": urlsplit(platform["control_plane_url"]).port},
            "limits": {
                "requests_per_minute": 5000,
                "forwarded_hops": 1,
                "trusted_proxies": ["127.0.0.0/8"],
                "event_streams": 3,
            },
        }
    )
    migrate(made)
    yield made
    admin_cache.execute_command("ACL", "DELUSER", name)
    admin_cache.close()
    with admin_sql.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name}")
        cursor.execute(f"DROP USER '{name}'@'%'")


def _ticket_key() -> str:
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
