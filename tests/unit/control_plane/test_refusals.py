"""Messages of the API server's validation errors, as a whole and by field."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from vivero_control.domain.signups.policies import with_signup_fields
from vivero_control.domain.tenants.errors import ClusterUnavailableError, TenantRefusedError
from vivero_control.domain.tenants.repository import refused
from vivero_core.backends.kube.errors import (
    Cause,
    KubeForbiddenError,
    KubeInvalidError,
    KubeUnauthorizedError,
    KubeUnavailableError,
)
from vivero_web.errors import FieldError


def rules(schema: Any, at: str) -> list[tuple[str, str]]:  # noqa: ANN401  a JSON schema
    """(field, sentence) of every rule of the definition."""
    found = [(at, one["message"]) for one in schema.get("x-kubernetes-validations", ())]
    for name, part in schema.get("properties", {}).items():
        found += rules(part, f"{at}.{name}".removeprefix("."))
    return found


CRD = yaml.safe_load((Path(__file__).parents[3] / "crds/tenants.yaml").read_text())
RULES = rules(CRD["spec"]["versions"][0]["schema"]["openAPIV3Schema"], "")
SENTENCES = [
    ("spec.slug", "slug must be 3 to 40 lower-case letters, digits and single hyphens, from a letter to a letter"),
    ("spec", "trialEndsAt is allowed only on plan trial; remove it when you change the plan"),
    ("spec.hosts[0]", "must be at most 253 characters: it has 300, too many"),
    *RULES,
]


def test_the_definition_has_rules_for_its_fields_and_for_the_whole() -> None:
    assert {"", "spec", "spec.slug", "spec.owner.email"} <= {field for field, _ in RULES}


@pytest.mark.parametrize(("field", "sentence"), SENTENCES)
def test_a_rules_sentence_is_kept_whole(field: str, sentence: str) -> None:
    error = refused(KubeInvalidError("kubernetes", "POST …", (Cause(field, sentence),)))
    assert isinstance(error, TenantRefusedError)
    assert error.errors == ((FieldError(field.removeprefix("spec."), sentence),) if field else ())
    assert sentence.rstrip(".") in error.detail


def test_a_rule_of_the_whole_platform_names_no_field() -> None:
    error = refused(KubeForbiddenError("kubernetes", "POST …", (Cause("", "no new tenants today, sorry"),)))
    assert isinstance(error, TenantRefusedError)
    assert (error.errors, error.detail) == ((), "no new tenants today, sorry.")


@pytest.mark.parametrize(
    "error",
    [
        KubeForbiddenError("kubernetes", 'User "x" cannot create resource "tenants"'),
        KubeForbiddenError("kubernetes", "exceeded quota"),
        KubeUnauthorizedError("kubernetes", "Unauthorized"),
        KubeUnavailableError("kubernetes", "no answer"),
    ],
    ids=str,
)
def test_other_errors_are_not_reported_as_invalid_input(
    error: Any,  # noqa: ANN401  each of its own kind
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert isinstance(refused(error), ClusterUnavailableError)
    assert bool(caplog.records) is not isinstance(error, KubeUnavailableError), "a person has to see a refusal"


def test_a_signups_refusal_is_named_as_it_was_asked() -> None:
    causes = (Cause("spec.slug", "this slug is reserved, choose another"), Cause("spec.owner.email", "no address"))
    error = with_signup_fields(TenantRefusedError.because(causes))
    assert error.errors == (
        FieldError("slug", "this slug is reserved, choose another"),
        FieldError("email", "no address"),
    )
    assert error.detail == "this slug is reserved, choose another. no address."
