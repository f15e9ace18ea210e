# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""The script that runs in the browser, as HTML for viser's panel."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path

from .hands import FAST_KEYS, KEYS, STOP_KEY

FIELD = "held"
"""Label of the text field through which the script speaks; it hides the field."""

_PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="


def hands_html() -> str:
    """Return HTML that runs the script once it is shown.

    Browsers do not run ``<script>`` that is put into a page afterwards, but they tell an image that it was loaded.
    """
    script = Path(__file__).with_name("hands.js").read_text(encoding="utf-8")
    filled = {"KEYS": list(KEYS), "FAST": list(FAST_KEYS), "STOP": STOP_KEY, "FIELD": FIELD}
    for name, value in filled.items():
        script = script.replace(f"{{{name}}}", json.dumps(value))
    return f'<img alt="" style="display:none" src="{_PIXEL}" onload="{escape(script)}"/>'
