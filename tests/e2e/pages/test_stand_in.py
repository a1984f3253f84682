"""The page that stands in for a workspace: it stays as it is until the workspace is there, and then makes room."""

import re

from playwright.sync_api import Page, Route, expect


def test_it_looks_again_without_beginning_anew(page: Page, control_plane: str) -> None:
    loads: list[str] = []
    page.on("framenavigated", lambda frame: loads.append(frame.url))
    page.goto(f"{control_plane}/-/host/away")
    heading = page.get_by_role("heading", name="does not answer right now")
    expect(heading).to_be_visible()
    answers = ["", "no healthy upstream", ""]

    def answer(route: Route) -> None:
        if not answers:
            route.fulfill(status=200, content_type="text/html", body="<title>Log in</title><h1>Log in</h1>")
        elif words := answers.pop():
            route.fulfill(status=503, content_type="text/plain", body=words)
        else:
            route.continue_()

    page.route(re.compile("/-/host/away"), answer)
    with page.expect_request(re.compile("/-/host/away")):
        expect(heading).to_be_visible()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    assert not answers, "it asked until the workspace was there"
    assert len(loads) == 2, "and was loaded anew only then"
