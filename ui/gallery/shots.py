"""Screenshots of pages at 1440 and 390 px, light and dark: `shots.py OUT BASE_URL name=/path …`.

Prints what the browser complained about (a broken content security policy shows here).
"""

import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDTHS = {"desktop": (1440, 900), "phone": (390, 844)}


def shoot(browser: Browser, url: str, out: Path, name: str) -> None:
    for device, (width, height) in WIDTHS.items():
        for scheme in ("light", "dark"):
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme=scheme,  # type: ignore[arg-type]  one of its literals
                ignore_https_errors=True,
            )
            page = context.new_page()
            page.on("console", lambda message: print(name, message.type, message.text))
            page.on("pageerror", lambda error: print(name, "error", error))
            page.goto(url)
            page.wait_for_timeout(300)
            page.screenshot(path=out / f"{name}-{device}-{scheme}.png", full_page=True)
            wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            if wide > 0:
                print(f"{name} {device}: {wide} px too wide")
            context.close()


def main(out: Path, base: str, pages: list[str]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGS)
        for name, _, path in (page.partition("=") for page in pages):
            shoot(browser, base + path, out, name)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
