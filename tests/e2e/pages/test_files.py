"""Files of a record as people add, look at and remove them: with and without a script, by mouse and by keyboard."""

from collections.abc import Callable
from pathlib import Path

import pytest
from e2e.conftest import PHONE, Shoot, opened
from playwright.sync_api import Browser, FilePayload, Locator, Page, expect
from unit.data_plane_web.fakes import FakeFiles, World
from vivero_data.domain.collections.schemas import NewField
from vivero_data.domain.field_types.file import RecordFile
from vivero_data.domain.field_types.registry import FieldType
from vivero_data.domain.records.held import as_record_file
from vivero_data.domain.users.schemas import Role

FIELDS = (NewField(name="Name", type=FieldType.TEXT, required=True), NewField(name="Scans", type=FieldType.FILE))
PATH = "/collections/Plants"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
FIELD, RECORD = "Add a file to Scans", "Add a file to Attached to this record"
TARGET = 1.0  # Chromium rounds
DROP = """(form, name) => {
  const data = new DataTransfer();
  data.items.add(new File(["dropped"], name, { type: "text/plain" }));
  for (const kind of ["dragover", "drop"]) form.dispatchEvent(new DragEvent(kind, { bubbles: true, dataTransfer: data }));
}"""


@pytest.fixture
def world() -> World:
    made = World()
    made.keep("Plants", FIELDS, [{"Name": "Lemon"}, {"Name": "Olive"}])
    return made


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    made = tmp_path / "Prüfbericht 2026.txt"
    made.write_text("all is well")
    return made


def scans(world: World) -> list[RecordFile]:
    return [as_record_file(FakeFiles(world).add("a.txt", b"x", "text/plain"))]


def names(page: Page, part: str) -> list[str]:
    found: list[str] = (
        page.get_by_role("region", name=part).get_by_role("listitem").get_by_role("link").all_inner_texts()
    )
    return [name for name in found if not name.startswith("View")]


@pytest.mark.parametrize(("label", "part"), [(FIELD, "Scans"), (RECORD, "Attached to this record")])
def test_a_file_is_added_downloaded_and_removed(
    page: Page, address: str, paper: Path, label: str, part: str, accessible: Callable[[Page], None]
) -> None:
    page.goto(f"{address}{PATH}/records/1")
    page.get_by_label(label).set_input_files(paper)
    page.get_by_role("region", name=part).get_by_role("button", name="Add", exact=True).click()
    here = page.get_by_role("region", name=part)
    link = here.get_by_role("link", name=paper.name)
    expect(link).to_be_visible()
    accessible(page)
    with page.expect_download() as download:
        link.click()
    assert download.value.suggested_filename == paper.name
    assert download.value.path().read_text() == "all is well"
    here.get_by_role("button", name=f"Remove {paper.name}").click()
    expect(page.get_by_text("File removed")).to_be_visible()
    expect(link).to_have_count(0)


def test_a_file_is_dropped(page: Page, address: str) -> None:
    page.goto(f"{address}{PATH}/records/1")
    page.locator("form[data-upload]").first.evaluate(DROP, "dropped.txt")
    expect(page.get_by_role("region", name="Scans").get_by_role("link", name="dropped.txt")).to_be_visible()


def test_without_a_script_a_form_does_it(browser: Browser, address: str, paper: Path) -> None:
    with opened(browser, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{address}{PATH}/records/1")
        page.get_by_label(FIELD).set_input_files(paper)
        page.get_by_role("region", name="Scans").get_by_role("button", name="Add", exact=True).click()
        assert names(page, "Scans") == [paper.name]
        page.get_by_role("button", name=f"Remove {paper.name}").click()
        assert names(page, "Scans") == []


def test_what_is_too_large_does_not_travel(page: Page, address: str, world: World, tmp_path: Path) -> None:
    large = tmp_path / "large.bin"
    large.write_bytes(bytes(1_000_001))
    page.goto(f"{address}{PATH}/records/1")
    page.get_by_label(FIELD).set_input_files(large)
    page.get_by_role("region", name="Scans").get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("976.6 KiB is more than the 976.6 KiB that fit")).to_be_visible()
    assert world.files == {}


def test_a_picture_is_looked_at_and_a_document_is_not(page: Page, address: str, tmp_path: Path) -> None:
    for name, content in (("oak.png", PNG), ("oak.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>")):
        (tmp_path / name).write_bytes(content)
        page.goto(f"{address}{PATH}/records/1")
        page.get_by_label(FIELD).set_input_files(tmp_path / name)
        page.get_by_role("region", name="Scans").get_by_role("button", name="Add", exact=True).click()
        expect(page.get_by_role("region", name="Scans").get_by_role("link", name=name, exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="View oak.png")).to_be_visible()
    expect(page.get_by_role("link", name="View oak.svg")).to_have_count(0)


def test_a_viewer_downloads_and_changes_nothing(page: Page, address: str, world: World) -> None:
    world.records["Plants"][1].values["Scans"] = scans(world)
    world.role = Role.VIEWER
    page.goto(f"{address}{PATH}/records/1")
    assert names(page, "Scans") == ["a.txt"]
    expect(page.locator("input[type=file]")).to_have_count(0)
    expect(page.get_by_role("button", name="Remove")).to_have_count(0)


def test_a_phone_has_room_for_fingers(page: Page, address: str, world: World, shoot: Shoot) -> None:
    world.records["Plants"][1].values["Scans"] = scans(world)
    page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    page.goto(f"{address}{PATH}/records/1")
    for one in page.locator("#files").locator("button, input[type=file]").all():
        box = one.bounding_box()
        assert box
        assert min(box["width"], box["height"]) >= 44 - TARGET
    shoot(page, "record-files")


def cell_of(page: Page, plant: str) -> Locator:
    return page.locator("tbody tr").filter(has_text=plant).locator("td.v-t-file")


def text_file(name: str, size: int = 1) -> FilePayload:
    return {"name": name, "mimeType": "text/plain", "buffer": b"x" * size}


def test_files_are_added_in_a_cell(page: Page, address: str, world: World) -> None:
    # The driver takes choosers from the browser while somebody listens, and only some time after one began to.
    page.on("filechooser", lambda _: None)
    page.goto(f"{address}{PATH}")
    cell_of(page, "Lemon").click()
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files([text_file("first.txt"), text_file("second.txt")])
    expect(cell_of(page, "Lemon")).to_contain_text("second.txt")
    expect(page.locator("[data-grid-said]")).to_have_text("2 files added to Scans.")
    with page.expect_file_chooser() as chooser:
        cell_of(page, "Olive").hover()
        cell_of(page, "Olive").get_by_role("link", name="Add").click()
    chooser.value.set_files(text_file("large.txt", 2_100_000))
    expect(cell_of(page, "Olive").get_by_role("alert")).to_contain_text("large.txt")
    page.get_by_role("button", name="Close").click()
    expect(cell_of(page, "Olive").get_by_role("alert")).to_have_count(0)
    cell_of(page, "Olive").evaluate(DROP, "dropped.txt")
    expect(cell_of(page, "Olive")).to_contain_text("dropped.txt")
    assert [len(one.values["Scans"]) for one in world.records["Plants"].values()] == [2, 1]


def test_a_new_record_has_its_files_at_once(
    page: Page, address: str, world: World, paper: Path, accessible: Callable[[Page], None], shoot: Shoot
) -> None:
    page.goto(f"{address}{PATH}/new")
    here = page.get_by_role("group", name="Scans")
    here.get_by_label("Add files to Scans").set_input_files([text_file("first.txt"), text_file("second.txt")])
    expect(here.get_by_role("listitem")).to_have_count(2)
    here.evaluate(DROP, "dropped.txt")
    here.get_by_label("Add files to Scans").set_input_files(text_file("large.txt", 1_000_001))
    expect(here.get_by_role("alert")).to_have_text("large.txt: 976.6 KiB is more than the 976.6 KiB that fit")
    here.get_by_role("button", name="Take out second.txt").click()
    expect(here.get_by_role("listitem")).to_have_text(["first.txt", "dropped.txt"])
    accessible(page)
    shoot(page, "new-record-files")
    page.get_by_role("button", name="Create record").click()  # without a name, which it needs
    expect(page.get_by_text("Nothing was saved yet.")).to_be_visible()
    expect(here.get_by_role("listitem")).to_have_text(["first.txt", "dropped.txt"])
    page.get_by_label("Name").fill("Fig")
    here.get_by_label("Add files to Scans").set_input_files(paper)
    page.get_by_role("button", name="Create record").click()  # while that one is on its way
    expect(page.get_by_text("Record created.")).to_be_visible()
    made = max(world.records["Plants"].values(), key=lambda one: one.id)
    assert [file.name for file in made.values["Scans"]] == ["first.txt", "dropped.txt", paper.name]


def test_without_a_script_a_new_record_leads_to_its_files(browser: Browser, address: str) -> None:
    with opened(browser, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{address}{PATH}/new")
        expect(page.get_by_text("Files can be added once the record is there.")).to_be_visible()
        expect(page.get_by_label("Add files to Scans")).to_be_hidden()
        page.get_by_label("Name").fill("Fig")
        page.get_by_role("button", name="Create and add files").click()
        expect(page.get_by_label(FIELD)).to_be_attached()
        expect(page.get_by_text("Record created.")).to_be_visible()
