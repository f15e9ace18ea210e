# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""What is written over the pictures of a film: a caption in the corner, and which robot is which."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

_ROBOT_COLOR = (205, 208, 212)
_TEXT_COLOR = (245, 247, 250, 255)
_PANEL_COLOR = (18, 24, 32, 150)


class Overlay:
    """Writes captions over pictures of one size; equal captions are drawn once."""

    def __init__(self, size: tuple[int, int], reference_color: tuple[float, float, float] | None = None):
        """Choose the letters.

        Args:
            size: Width and height of the pictures [px].
            reference_color: Colour of the reference, 0 to 1, if there is one to be told apart.
        """
        self._size = size
        self._letter = max(round(size[1] / 30), 8)
        self._font = ImageFont.load_default(self._letter)
        self._names = []
        if reference_color is not None:
            self._names = [("robot", _ROBOT_COLOR), ("reference", tuple(round(255 * c) for c in reference_color))]
        self._caption: str | None = None
        self._panel = self._share = np.zeros((1, 1, 1), dtype=np.float32)

    def draw(self, picture: np.ndarray, caption: str) -> np.ndarray:
        """Return the picture with the caption over it, shape (height, width, 3), uint8."""
        if caption != self._caption:
            panel = np.asarray(self._draw_panel(caption), dtype=np.float32)
            self._caption, self._panel, self._share = caption, panel[..., :3], panel[..., 3:] / 255.0
        return (picture + (self._panel - picture) * self._share + 0.5).astype(np.uint8)

    def _draw_panel(self, caption: str) -> Image.Image:
        panel = Image.new("RGBA", self._size, (0, 0, 0, 0))
        pen = ImageDraw.Draw(panel)
        pad = self._letter // 2
        if caption:
            left, top, right, bottom = pen.multiline_textbbox((2 * pad, 2 * pad), caption, self._font)
            pen.rounded_rectangle((left - pad, top - pad, right + pad, bottom + pad), pad, _PANEL_COLOR)
            pen.multiline_text((2 * pad, 2 * pad), caption, _TEXT_COLOR, self._font)
        self._draw_names(pen, pad)
        return panel

    def _draw_names(self, pen: ImageDraw.ImageDraw, pad: int) -> None:
        """Write the names of the robots from the lower right corner upwards."""
        width, height = self._size
        for row, (name, color) in enumerate(reversed(self._names)):
            middle = height - 2 * pad - (row + 0.5) * 1.4 * self._letter
            left = width - 3 * pad - pen.textlength("reference", self._font) - self._letter
            dot = 0.35 * self._letter
            pen.ellipse((left - dot, middle - dot, left + dot, middle + dot), (*color, 255), _PANEL_COLOR)
            pen.text((left + self._letter, middle), name, (18, 24, 32, 255), self._font, anchor="lm")
