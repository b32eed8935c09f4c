"""What is sealed, and by which key."""

from __future__ import annotations

import secrets

import pytest

from drybench.data_folder import DataFolder
from drybench.errors import RecordUnreadable
from drybench.vault import KEYS, Vault

CONTENT = {"address": "https://hooks.example/T0/secret"}


def test_what_is_sealed_is_opened_again_and_shows_nothing(data: DataFolder) -> None:
    sealed = Vault(data).seal("channel 1", CONTENT)
    assert "hooks" not in sealed
    assert Vault(data).open("channel 1", sealed) == CONTENT
    assert (data.secrets / KEYS).stat().st_mode & 0o777 == 0o600


def test_a_new_key_opens_what_the_old_one_sealed_until_it_is_sealed_anew(data: DataFolder) -> None:
    vault, keys = Vault(data), data.secrets / KEYS
    sealed = vault.seal("channel 1", CONTENT)
    old, new = keys.read_text(), secrets.token_hex(32)
    keys.write_text(f"{new}\n{old}\n")
    assert vault.open("channel 1", sealed) == CONTENT
    anew = vault.sealed_anew(sealed)
    keys.write_text(new)
    assert vault.open("channel 1", anew) == CONTENT
    with pytest.raises(RecordUnreadable, match="no key"):
        vault.open("channel 1", sealed)


def test_it_is_opened_for_its_own_row_only(data: DataFolder) -> None:
    vault = Vault(data)
    with pytest.raises(RecordUnreadable, match="something else"):
        vault.open("channel 2", vault.seal("channel 1", CONTENT))
