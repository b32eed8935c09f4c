from __future__ import annotations

import subprocess
import sys


def test_the_hub_starts_without_the_grammar_of_international_addresses() -> None:
    code = "import sys, drybench.hub.__main__; print({'jsonschema', 'rfc3987_syntax'} & sys.modules.keys())"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said == "{'jsonschema'}\n"
