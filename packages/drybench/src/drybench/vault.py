"""What a person entrusts to the bench, sealed: addresses that open something never lie in the ledger as they are.

The keys are lines of one file, `secrets/vault_key`, the newest first: put a new line before the others and
everything sealed from then on is sealed by it, while what was sealed before is still opened.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, cast

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from drybench.data_folder import DataFolder
from drybench.errors import RecordUnreadable
from drybench.secret_files import secret

KEYS = "vault_key"


class Vault:
    def __init__(self, data: DataFolder) -> None:
        self._data = data

    def seal(self, subject: str, content: Mapping[str, Any]) -> str:
        """For this subject's row only: moved into another's it is not opened."""
        return self._keys().encrypt(json.dumps({"for": subject, **content}).encode()).decode()

    def open(self, subject: str, sealed: str) -> Mapping[str, Any]:
        try:
            content = cast("dict[str, Any]", json.loads(self._keys().decrypt(sealed.encode())))
        except InvalidToken:
            raise RecordUnreadable(file="sealed address", problem="no key of this bench opens it") from None
        if content.pop("for") != subject:
            raise RecordUnreadable(file="sealed address", problem="it was sealed for something else")
        return content

    def sealed_anew(self, sealed: str) -> str:
        """By the newest key, so that an older one can go."""
        return self._keys().rotate(sealed.encode()).decode()

    def _keys(self) -> MultiFernet:
        """Read each time: a new key needs no restart."""
        lines = secret(self._data, KEYS).split()
        return MultiFernet([Fernet(base64.urlsafe_b64encode(bytes.fromhex(line))) for line in lines])
