"""Text as R and Julia read it. Import only where papermill is imported anyway.

papermill 2.7 writes letters beyond ASCII as single bytes, which both languages take for broken UTF-8, and lets Julia
compute what stands behind a `$`. Everything else is its own.
"""

# pyright: standard
# (papermill has no types)

from __future__ import annotations

import json

from papermill.translators import JuliaTranslator, RTranslator, papermill_translators


class _R(RTranslator):
    @classmethod
    def translate_escaped_str(cls, str_val: object) -> str:
        if "\0" in str(str_val):
            raise NotImplementedError("R has no text with a zero in it")
        return json.dumps(str(str_val), ensure_ascii=False)


class _Julia(JuliaTranslator):
    @classmethod
    def translate_escaped_str(cls, str_val: object) -> str:
        return json.dumps(str(str_val), ensure_ascii=False).replace("$", "\\$")


def register() -> None:
    papermill_translators.register("R", _R)
    papermill_translators.register("julia", _Julia)
