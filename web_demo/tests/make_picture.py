"""Draw docs/guides/web-phone.webp anew: the built page on a phone's screen, with the sample clip.

python web_demo/tests/make_picture.py
"""

import asyncio
import tempfile
from pathlib import Path

import browsers
import cv2
from server import Server
from support import ROOT, SITE

PICTURE = ROOT / "docs/guides/web-phone.webp"
STATUS = "document.getElementById('status').textContent"


async def make_picture(folder: Path) -> None:
    """Draw it, at twice the page's pixels."""
    with Server(folder) as server:
        async with browsers.chromium(folder) as browser:
            await browser.do("Emulation.setDeviceMetricsOverride", width=390, height=844,
                             deviceScaleFactor=2, mobile=True)  # fmt: skip
            await browser.open(server.url)
            await reached(browser, f"{STATUS}.includes('ready')")
            await browser.evaluate("document.querySelector('[data-do=sample]').click()")
            await asyncio.sleep(5)  # the figures are of a second
            await reached(browser, "document.querySelectorAll('#faces tr').length === 2")
            await browser.screenshot(folder / "screen.png")
    cv2.imwrite(str(PICTURE), cv2.imread(f"{folder}/screen.png"), [cv2.IMWRITE_WEBP_QUALITY, 80])
    print(f"{PICTURE.name}: {PICTURE.stat().st_size:,} bytes")


async def reached(browser: browsers.Chromium, state: str) -> None:
    """Wait for a state of the page."""
    while not await browser.evaluate(state):
        await asyncio.sleep(0.1)


if __name__ == "__main__":
    if not (SITE / "files.js").exists():
        raise SystemExit("no site in build/web; run make web first")
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(make_picture(Path(folder)))
