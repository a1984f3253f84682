"""What the pages promise is there: a route, a limit of the plans, a file that shows it."""

import re
from html import unescape
from pathlib import Path

import pytest
import yaml
from support.programs import PROGRAMS, answered
from unit.control_plane_web.conftest import browser
from unit.control_plane_web.fakes import SETTINGS
from vivero_control.domain.plans.selling_points import FEATURES, Evidence, File, Limit, Route, SellingPoint
from vivero_control.domain.plans.service import PlanLimits, PlanView, view
from vivero_control.settings import MailSettings
from vivero_control.web import presentation, selling_points
from vivero_core.model.plan import Feature, Plan, PlanSpec
from vivero_data.domain.limits.service import Limits

ROOT = Path(__file__).parents[3]
ON_PAGES = (*selling_points.HOW, *selling_points.WORKSPACE, *selling_points.ISOLATION, *selling_points.QUESTIONS)
ALL = (*ON_PAGES, *FEATURES.values())
VALUES = yaml.safe_load((ROOT / "charts/vivero-operator/values.yaml").read_text())
SOLD = {name: PlanSpec.model_validate(spec) for name, spec in VALUES["plans"].items()}
PAGES = ("/", "/pricing", "/signup")
NOT_THERE = re.compile(
    r"\b(report|analytic|import|export|integration)s?\b|custom feature|every feature|everything, for", re.IGNORECASE
)
"""What was sold before there was any of it, and the words that sell all of it."""


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> set[Route]:
    return {
        Route(name, one.method, one.path)  # type: ignore[arg-type]  # the names of the two programs
        for name, make in PROGRAMS.items()
        for one in answered(make(tmp_path_factory.mktemp(name)))
    }


def proves(proof: Evidence, there: set[Route]) -> bool:
    match proof:
        case Route():
            return proof in there
        case Limit(field):
            return {field} <= set(PlanLimits.__struct_fields__) & set(Limits.__struct_fields__)
        case File(path):
            return (ROOT / path).is_file()


@pytest.mark.parametrize("claim", ALL, ids=lambda claim: claim.title)
def test_every_claim_is_proved(claim: SellingPoint, there: set[Route]) -> None:
    assert claim.evidence
    for evidence in claim.evidence:
        assert proves(evidence, there), evidence


def test_what_is_not_there_proves_nothing(there: set[Route]) -> None:
    for evidence in (Route("workspace", "GET", "/telepathy"), Limit("reports"), File("docs/reports.md")):
        assert not proves(evidence, there)


def text(path: str, **replaced: object) -> str:
    """What a person reads of a page."""
    with browser(**replaced) as client:
        page = re.sub(r"<(script|style|svg)\b.*?</\1>", "", client.get(path).text, flags=re.DOTALL)
    return unescape(re.sub(r"<[^>]+>", " ", page))


@pytest.mark.parametrize("path", PAGES)
def test_no_page_sells_what_is_not_there(path: str) -> None:
    assert not NOT_THERE.search(text(path))


def test_the_pages_say_every_claim() -> None:
    said = text("/") + text("/pricing")
    for claim in ON_PAGES:
        assert claim.title in said
        assert claim.text in said


@pytest.mark.parametrize("name", SOLD)
def test_a_plan_of_the_chart_sells_what_is_there(name: str) -> None:
    spec = SOLD[name]
    assert set(spec.features) <= set(FEATURES)
    assert not NOT_THERE.search(f"{spec.display_name} {spec.description} {spec.support}")


def every_feature() -> PlanView:
    made = Plan.model_validate(
        {
            "apiVersion": "vivero.dev/v1alpha1",
            "kind": "Plan",
            "metadata": {"name": "gold"},
            "spec": SOLD["starter"].model_copy(update={"features": tuple(Feature)}),
        }
    )
    return view(made)


def test_a_plan_that_names_more_is_listed_with_what_is_there() -> None:
    plan = every_feature()
    assert set(plan.features) == set(FEATURES)
    ticked = {label for label, values in presentation.compare([plan], supported=False) if values == [True]}
    assert ticked == {claim.title for claim in FEATURES.values()}


@pytest.mark.parametrize("reply_to", [None, "help@vivero.example"])
def test_support_is_promised_where_somebody_reads(reply_to: str | None) -> None:
    mail = MailSettings(host="mail.example", reply_to=reply_to)
    shown = text("/pricing", settings=SETTINGS.model_copy(update={"mail": mail}))
    assert ("Support" in shown) is (reply_to is not None)
