"""What a page shows, point by point: a process may live and draw nothing."""

from __future__ import annotations

import base64

from playwright.sync_api import Error, Page

from tests.waiting import wait_for


class Eyes:
    """How much of what a page shows has one colour, and how many colours there are."""

    def __init__(self, page: Page, counting: Page) -> None:
        self._page = page
        self._counting = counting

    def part(self, colour: tuple[int, int, int], off: int = 0) -> float:
        """Or one that is so little off in red, green and blue: what is not plain comes by JPEG."""
        points = self._counted()
        found = sum(number for shown, number in points.items() if _apart(shown, colour) <= off)
        return found / max(1, sum(points.values()))

    def colours(self) -> int:
        return len(self._counted())

    def _counted(self) -> dict[str, int]:
        try:
            shown = base64.b64encode(self._page.screenshot(animations="disabled")).decode()
        except Error:  # a browser that has much to do now and then gives none
            return {}
        return self._counting.evaluate(
            """async (png) => {
            const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob())
            const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d")
            canvas.drawImage(image, 0, 0)
            const points = canvas.getImageData(0, 0, image.width, image.height).data, found = {}
            for (let at = 0; at < points.length; at += 4) {
                const rgb = (points[at] << 16 | points[at + 1] << 8 | points[at + 2]).toString(16).padStart(6, "0")
                found[`#${rgb}`] = (found[`#${rgb}`] || 0) + 1
            }
            return found
        }""",
            shown,
        )

    def come_to_rest(self) -> None:
        """Two looks see the same: nothing is being drawn, moved or faded in."""
        before: dict[str, int] = {}

        def rests() -> bool:
            nonlocal before
            before, now = self._counted(), before
            return bool(now) and before == now

        wait_for(rests)


def _apart(shown: str, colour: tuple[int, int, int]) -> int:
    return max(abs(value - wanted) for value, wanted in zip(bytes.fromhex(shown[1:]), colour, strict=True))
