"""What has no page in the docs does not exist."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest

from drybench.errors import DrybenchError
from drybench.settings import Settings
from tests.unit.web.little_bench import little_bench

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


@cache
def from_code() -> ModuleType:
    spec = importlib.util.spec_from_file_location("from_code", DOCS / "from_code.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def headings(page: str) -> set[str]:
    text = (DOCS / "reference" / page).read_text()
    return {line.lstrip("#").strip() for line in text.splitlines() if line.startswith("#")}


@pytest.mark.parametrize("page", ["settings.md", "errors.md", "cli.md"])
def test_pages_made_from_code_are_up_to_date(page: str) -> None:
    assert (DOCS / "reference" / page).read_text() == from_code().pages()[page], "`make docs` makes it anew"


def test_every_setting_has_its_heading() -> None:
    given = Settings().model_dump()
    given.pop("sizes")
    assert set(_leaves(given)) - headings("settings.md") == set()
    assert {f"sizes.NAME.{key}" for key in ("title", "cores", "memory", "gpus")} <= headings("settings.md")


def test_every_command_has_its_heading() -> None:
    commands = {f"drybench {name}" for name in from_code().command_line() if not name.startswith("-")}
    assert commands - headings("cli.md") == set()
    assert {"drybench run", "drybench up"} <= commands


def test_every_error_has_its_heading() -> None:
    code = from_code()
    assert {code.code_of(error) for error in code.concrete(DrybenchError)} - headings("errors.md") == set()


def test_every_engine_has_its_heading() -> None:
    engines = {found.name for found in metadata.entry_points(group="drybench.engines")}
    assert engines
    assert engines - headings("engines.md") == set()


def test_every_environment_has_its_heading() -> None:
    folder = ROOT / "packages/drybench/src/drybench/environments"
    environments = {file.parent.name for file in folder.glob("*/environment.toml")}
    assert environments
    assert environments - headings("environments.md") == set()


def test_every_path_of_the_api_is_told(tmp_path: Path) -> None:
    rows = [line for line in (DOCS / "reference" / "api.md").read_text().splitlines() if line.startswith("| ")]
    for method, path in _addresses(tmp_path):
        told = path.replace("{id}", "ID").replace("{path}", "PATH")
        assert any(row.startswith(f"| {method} ") and f"`{told}`" in row for row in rows), f"{method} {told}"


def test_the_client_asks_for_every_path_of_the_api(tmp_path: Path) -> None:
    """Whatever a page or a program can do, `Bench` can; but for what only serves a form that is filled in."""
    client = ROOT / "packages/drybench-client/src/drybench_client"
    code = "".join(file.read_text() for file in client.glob("*.py"))
    asked = {re.sub(r"\{[^}]*[})]+", "{}", path) for path in re.findall(r'"(/[a-z][^"\s]*)"', code)}
    served = {re.sub(r"\{[^}]*\}", "{}", path) for _, path in _addresses(tmp_path)}
    assert served - asked == {"/files", "/notebooks/check"}


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_links_lead_somewhere(page: str) -> None:
    """Pictures are made by the journeys in the browser; what is named here must be here."""
    text = (ROOT / page).read_text()
    inside = {link.partition("#")[0] for link in re.findall(r"[^!]\[[^]]*\]\(([^)]+)\)", text) if "://" not in link}
    assert {link for link in inside if not (ROOT / link).exists()} == set()


def test_sphinx_has_nothing_to_complain_of(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-W",
        "--keep-going",
        "-q",
        "-d",
        tmp_path / "seen",
        DOCS,
        tmp_path / "html",
    ]
    made = subprocess.run(command, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "html" / "index.html").exists()


def _addresses(folder: Path) -> list[tuple[str, str]]:
    bench = little_bench(folder)
    try:
        paths = bench.app.openapi()["paths"]
    finally:
        bench.ledger.close()
    return [(method.upper(), path.removeprefix("/api/v1")) for path, told in paths.items() for method in told]


def _leaves(tree: dict[str, object], above: str = "") -> Iterator[str]:
    for name, value in tree.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield f"{above}{name}"
