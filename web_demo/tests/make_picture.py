"""Draw the guide's pictures of the built page anew: web-phone, web-error and web-desktop.webp.

python web_demo/tests/make_picture.py
"""

import asyncio
import tempfile
from pathlib import Path

import browsers
import cv2
from server import Server
from support import ROOT, SITE

PICTURES = ROOT / "docs/guides"
STATUS = "document.getElementById('status').textContent"
# Width and height in the page's pixels, pixels of the picture for each, whether it is a phone.
PHONE, DESKTOP = (390, 844, 2, True), (1280, 800, 1, False)


async def make_pictures(folder: Path) -> None:
    """Draw the sample clip on a phone and on a wide screen, and a phone without a camera."""
    with Server(folder) as server:
        async with browsers.chromium(folder) as browser:
            for name, screen in (("phone", PHONE), ("desktop", DESKTOP), ("error", PHONE)):
                await show(browser, server.url, screen)
                if name == "error":
                    await click(browser, "camera")
                    await reached(browser, "document.body.textContent.includes('no camera')")
                else:
                    await click(browser, "sample")
                    await asyncio.sleep(5)  # the figures are of a second
                    await reached(browser, "document.querySelectorAll('#faces tr').length === 2")
                await browser.screenshot(folder / "screen.png")
                picture = PICTURES / f"web-{name}.webp"
                pixels = cv2.imread(f"{folder}/screen.png")
                cv2.imwrite(str(picture), pixels, [cv2.IMWRITE_WEBP_QUALITY, 80])
                print(f"{picture.name}: {picture.stat().st_size:,} bytes")


async def show(browser: browsers.Chromium, url: str, screen: tuple[int, int, int, bool]) -> None:
    """Open the page on such a screen, and wait until it is ready."""
    width, height, scale, phone = screen
    await browser.do("Emulation.setDeviceMetricsOverride", width=width, height=height,
                     deviceScaleFactor=scale, mobile=phone)  # fmt: skip
    await browser.open(url)
    await reached(browser, f"{STATUS}.includes('ready')")


async def click(browser: browsers.Chromium, button: str) -> None:
    """Click one of the page's buttons."""
    await browser.evaluate(f"document.querySelector('[data-do={button}]').click()")


async def reached(browser: browsers.Chromium, state: str) -> None:
    """Wait for a state of the page."""
    while not await browser.evaluate(state):
        await asyncio.sleep(0.1)


if __name__ == "__main__":
    if not (SITE / "files.js").exists():
        raise SystemExit("no site in build/web; run make web first")
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(make_pictures(Path(folder)))
