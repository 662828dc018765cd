#!/usr/bin/env python3
"""Opens a report in headless Chromium and checks it: no messages on the console, no network requests, no horizontal scrolling
on a desktop or a phone, in light and dark mode. Saves screenshots for inspection.

    python3 tests/report_in_browser.py DIR/report.html PICTURES [CHROMIUM]

Needs `pip install playwright` and Chromium: that of Playwright, or another one given by its path.
"""

import pathlib
import sys

from playwright.sync_api import sync_playwright

VIEWS = [("desktop", 1280, 900, "light"), ("dark", 1280, 900, "dark"), ("phone", 375, 740, "light"), ("phone-dark", 320, 640, "dark")]


def main() -> int:
    report, pictures = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
    executable = sys.argv[3] if len(sys.argv) > 3 else None
    pictures.mkdir(parents=True, exist_ok=True)
    problems = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable)
        for name, width, height, scheme in VIEWS:
            page = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme).new_page()
            page.on("console", lambda message: problems.append(f"{name}: console: {message.text}"))
            page.on("pageerror", lambda error: problems.append(f"{name}: error: {error}"))
            page.on("request", lambda request: request.url.startswith(("file:", "data:")) or problems.append(f"{name}: asks for {request.url}"))
            page.goto(report.as_uri())
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if wide > 0:
                problems.append(f"{name}: the page is {wide} px wider than the screen")
            nameless = page.locator("svg[role=img]").evaluate_all(
                "charts => charts.filter(c => !c.querySelector('title')?.textContent || !c.querySelector('desc')?.textContent).length"
            )
            if nameless:
                problems.append(f"{name}: {nameless} charts without words")
            page.screenshot(path=pictures / f"{name}.png")
            page.screenshot(path=pictures / f"{name}-whole.png", full_page=True)
            if name == "desktop":
                page.pdf(path=pictures / "print.pdf", format="A4")
        browser.close()
    print("\n".join(problems) or "nothing wrong")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
