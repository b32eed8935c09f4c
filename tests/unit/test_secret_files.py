from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from drybench.data_folder import DataFolder
from drybench.secret_files import secret


def test_made_once_and_private(tmp_path: Path) -> None:
    data = DataFolder(tmp_path)
    data.make()
    first = secret(data, "cookie_key")
    assert len(bytes.fromhex(first)) == 32
    assert secret(data, "cookie_key") == first != secret(data, "portal_token")
    assert {stat.S_IMODE(file.stat().st_mode) for file in data.secrets.iterdir()} == {0o600}


def test_all_who_ask_at_once_get_the_same(tmp_path: Path) -> None:
    data = DataFolder(tmp_path)
    data.make()
    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(lambda _: secret(data, "token"), range(40)))) == 1
    assert [file.name for file in data.secrets.iterdir()] == ["token"]
