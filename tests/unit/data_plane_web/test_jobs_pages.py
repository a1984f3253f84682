"""The button that exports what a table shows, and the page that says how far it is."""

from unit.data_plane_web.browser import Browser
from unit.data_plane_web.fakes import FakeJobs, World
from vivero_data.domain.jobs.repository import JobState
from vivero_data.domain.records.export import Export
from vivero_data.domain.users.schemas import Role

SHOWN = "filter=Company%3Acontains%3AAcme"


def test_what_the_table_shows_is_exported(browser: Browser, world: World) -> None:
    inputs = browser.customers()
    browser.send("/collections/Customers/new", **{inputs["Company"]: "Acme"})
    page = browser.open("/collections/Customers?filter=Company:contains:Acme&sort=Company")
    form = page[page.index('action="/collections/Customers/export"') :]
    assert f'value="{SHOWN}&amp;sort=Company"' in form[: form.index("</form>")]
    target = browser.send("/collections/Customers/export", shown=SHOWN)
    where = '{"field":"Company","operator":"contains","value":"Acme"}'
    assert world.orders == [Export("Customers", where=where)]
    page = browser.open(target)
    assert "Waiting for its turn" in page
    assert f'hx-get="{target}"' in page


def test_a_viewer_is_offered_no_export_into_a_file_and_refused_one(browser: Browser, world: World) -> None:
    inputs = browser.customers()
    browser.send("/collections/Customers/new", **{inputs["Company"]: "Acme"})
    world.role = Role.VIEWER
    page = browser.open("/collections/Customers")
    assert 'action="/collections/Customers/export"' not in page
    assert "/collections/Customers/export?format=csv" in page  # who may read may take along
    browser.send("/collections/Customers/export", 403)
    assert world.orders == []


def test_a_job_says_how_far_it_is(browser: Browser, world: World) -> None:
    jobs = FakeJobs(world)
    running = jobs.add("Customers", JobState.RUNNING, done=500, total=2000)
    page = browser.open(f"/jobs/{running.id}")
    assert "500 of 2,000" in page.replace("\u202f", ",")
    counted = jobs.add("Customers", JobState.RUNNING, done=500)
    assert "500 records so far" in browser.open(f"/jobs/{counted.id}")
    again = jobs.add("Customers", JobState.WAITING, problem="The bucket does not answer.")
    assert "The bucket does not answer." in browser.open(f"/jobs/{again.id}")


def test_an_end_is_looked_at_once(browser: Browser, world: World) -> None:
    jobs = FakeJobs(world)
    done = jobs.add("Customers", JobState.DONE, result={"file_id": "f7", "records": 2000})
    page = browser.open(f"/jobs/{done.id}")
    assert 'href="/files/f7"' in page
    assert "hx-get" not in page[page.index('id="job"') : page.index("</main>")]
    failed = jobs.add("Customers", JobState.FAILED, problem="The trial plan includes 7 bytes of files.")
    page = browser.open(f"/jobs/{failed.id}")
    assert "The trial plan includes 7 bytes of files." in page
    browser.open("/jobs/999", status=404)
