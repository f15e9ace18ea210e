# Copyright (c) 2026, The Isaac Tracking Developers.
# SPDX-License-Identifier: BSD-3-Clause

"""Files are whole or not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from isaac_tracking.files import written_beside


@pytest.mark.parametrize("durable", [True, False])
def test_file_is_whole_or_not_there(tmp_path: Path, durable: bool) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), written_beside(path, durable) as file:
        file.write(b"new")
        _ = 1 / 0
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("durable", [True, False])
def test_others_may_read_it_like_any_other_file(tmp_path: Path, durable: bool) -> None:
    before = os.umask(0o022)
    try:
        with written_beside(tmp_path / "file", durable) as file:
            file.write(b"new")
    finally:
        os.umask(before)
    assert (tmp_path / "file").read_bytes() == b"new"
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o644
