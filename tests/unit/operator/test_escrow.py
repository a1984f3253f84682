"""The second copy of a tenant's keys: what opens it, what does not, and what its record says."""

import base64
import json
import string
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reconcile.scenes import IDENT
from reconcile.world import NOW, PLAN, UID, tenant_body
from vivero_core.model.plan import Plan
from vivero_core.model.tenant import Tenant
from vivero_operator.escrow import record as records
from vivero_operator.escrow import sealing
from vivero_operator.escrow.sealing import SealingKeys
from vivero_operator.instance import Instance, TenantKeys
from vivero_operator.settings import Settings

TEXTS = st.text(st.characters(blacklist_categories=["Cs"]), max_size=80)
KEYS = st.builds(TenantKeys, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS, TEXTS)
IDENTS = st.text(string.ascii_lowercase + "234567", min_size=10, max_size=10)
SOME = TenantKeys(*(f"key {number}" for number in range(6)))
PLATFORM = SealingKeys.generated()


class TestSealing:
    @given(keys=KEYS, ident=IDENTS)
    def test_what_was_sealed_is_opened(self, keys: TenantKeys, ident: str) -> None:
        sealed = sealing.seal(PLATFORM, ident, keys)
        assert sealing.unseal(PLATFORM, PLATFORM.current, ident, sealed) == keys

    @given(keys=KEYS)
    def test_nothing_of_the_keys_shows(self, keys: TenantKeys) -> None:
        sealed = sealing.seal(PLATFORM, IDENT, keys)
        assert not any(len(one) > 3 and one.encode() in sealed for one in keys.dump().values())
        assert sealed != sealing.seal(PLATFORM, IDENT, keys), "a nonce is used once"

    @given(ident=IDENTS.filter(lambda one: one != IDENT))
    def test_another_tenants_record_is_not_opened(self, ident: str) -> None:
        """Who can write records must not be able to hand a tenant another one's keys."""
        assert sealing.unseal(PLATFORM, PLATFORM.current, ident, sealing.seal(PLATFORM, IDENT, SOME)) is None

    def test_another_key_does_not_open_it(self) -> None:
        other, sealed = SealingKeys.generated(), sealing.seal(PLATFORM, IDENT, SOME)
        assert sealing.unseal(other, other.current, IDENT, sealed) is None
        assert sealing.unseal(other, PLATFORM.current, IDENT, sealed) is None
        renamed = SealingKeys(PLATFORM.current, {PLATFORM.current: other.keys[other.current]})
        assert sealing.unseal(renamed, PLATFORM.current, IDENT, sealed) is None

    @given(st.data())
    def test_changed_bytes_are_not_opened(self, data: st.DataObject) -> None:
        sealed = bytearray(sealing.seal(PLATFORM, IDENT, SOME))
        sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
        assert sealing.unseal(PLATFORM, PLATFORM.current, IDENT, bytes(sealed)) is None

    @given(st.binary(max_size=200))
    def test_no_bytes_at_all_are_an_error(self, sealed: bytes) -> None:
        assert sealing.unseal(PLATFORM, PLATFORM.current, IDENT, sealed) is None

    def test_older_keys_still_open_and_the_current_one_seals(self) -> None:
        newer = SealingKeys.generated()
        both = SealingKeys(newer.current, {**PLATFORM.keys, **newer.keys})
        assert sealing.unseal(both, PLATFORM.current, IDENT, sealing.seal(PLATFORM, IDENT, SOME)) == SOME
        assert sealing.unseal(newer, newer.current, IDENT, sealing.seal(both, IDENT, SOME)) == SOME

    @pytest.mark.parametrize("content", ["[]", '"text"', "{}", '{"file_key": "x"}', '{"no": "field"}', "null"])
    def test_what_another_version_may_have_sealed_is_not_opened(
        self, content: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(json, "dumps", lambda *_, **__: content)
        sealed = sealing.seal(PLATFORM, IDENT, SOME)
        assert sealing.unseal(PLATFORM, PLATFORM.current, IDENT, sealed) is None

    def test_a_keys_name_says_nothing_of_it_and_no_repr_shows_one(self) -> None:
        key = PLATFORM.keys[PLATFORM.current]
        assert PLATFORM.current not in key.hex()
        assert key.hex() not in repr(PLATFORM)
        assert repr(key)[2:-1] not in repr(PLATFORM)
        assert "key 4" not in repr(records.parse(stored(), SOME))


def instance(name: str = "acme", **spec: Any) -> Instance:  # noqa: ANN401  as in YAML
    return Instance(Tenant.parse(tenant_body(name, **spec)), Plan.parse(PLAN), Settings(data_plane_image="image:1"))


def stored(*, retained: bool = False) -> dict[str, Any]:
    """As the API server gives it back."""
    sealed, at = sealing.seal(PLATFORM, IDENT, SOME), NOW if retained else None
    body = records.build(instance(), "main", sealed=sealed, key=PLATFORM.current, retained_at=at)
    return {**body, "metadata": {**body["metadata"], "resourceVersion": "7"}}


class TestRecord:
    @pytest.mark.parametrize("retained", [False, True])
    def test_it_says_what_a_later_tenant_needs(self, *, retained: bool) -> None:
        body = stored(retained=retained)
        key, sealed = records.sealed_in(body)
        found = records.parse(body, sealing.unseal(PLATFORM, key, IDENT, sealed))
        assert replace(found, undelete="") == records.Record(IDENT, "main", UID, "acme", retained, "7", SOME)
        assert ("vivero.dev/retained-at" in body["metadata"]["annotations"]) == retained

    def test_it_tells_people_what_it_is_about_and_nothing_secret(self) -> None:
        data = {key: base64.b64decode(value) for key, value in stored()["data"].items()}
        del data["sealed"]
        assert json.loads(data.pop("undelete"))["spec"]["adopt"] == IDENT
        assert data == {
            "database": f"vt{IDENT}".encode(),
            "bucket": f"vivero-{IDENT}".encode(),
            "slug": b"acme",
            "display_name": b"Acme",
            "plan": b"trial",
        }

    def test_of_a_spare_too(self) -> None:
        spare = instance(slug=None, owner=None, pool="trial")
        body = records.build(spare, "main", sealed=b"", key="k", retained_at=None)
        assert body["data"]["slug"] == ""

    @pytest.mark.parametrize("data", [{}, {"sealed": "no base64!"}, {"sealed": ""}])
    def test_one_that_was_changed_by_hand_has_no_keys(self, data: dict[str, str]) -> None:
        body = {**stored(), "data": data}
        assert records.sealed_in(body) == (PLATFORM.current, b"")
        del body["data"]
        assert records.sealed_in(body) == (PLATFORM.current, b"")
        body["metadata"] = {"name": f"escrow-{IDENT}", "resourceVersion": "8"}
        assert records.sealed_in(body) == ("", b"")
        assert records.parse(body, None) == records.Record(
            IDENT, None, None, None, retained=False, version="8", keys=None
        )

    def test_it_covers_only_what_it_says(self) -> None:
        said = records.parse(stored(), SOME)
        assert said.covers(instance(), SOME, "main", retained=False)
        assert not said.covers(instance(), SOME, "main", retained=True)
        assert not said.covers(instance(), SOME, "other", retained=False)
        assert not said.covers(instance(), replace(SOME, cache_password="new"), "main", retained=False)
        assert not said.covers(instance("heir", adopt=IDENT), SOME, "main", retained=False)
        assert not replace(said, keys=None).covers(instance(), SOME, "main", retained=False)
