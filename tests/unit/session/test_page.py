"""What the page around a screen names at once is what its modules import, and every sentence it says is in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from drybench_session.desktop import page

MODULES = [file.name for file in page.FILES.glob("*.js")]


def text(name: str) -> str:
    return (page.FILES / name).read_text()


def test_all_that_draws_the_picture_is_named_and_nothing_else() -> None:
    named = page.modules()
    assert len(set(named)) == len(named)
    assert {"frame.js", "worker.js", "screen.js", "viewer.js"} <= set(named)
    assert "tools.js" not in named  # comes when the picture is there
    for name in named:
        imported = re.findall(r'^(?:import|export)[^;]*?from "\./([^"]+)"', text(name), re.MULTILINE)
        assert set(imported) <= set(named), name


@pytest.mark.parametrize("name", MODULES)
def test_what_is_imported_is_there(name: str) -> None:
    for imported in re.findall(r'(?:from |import\()"\./([^"]+)"', text(name)):
        assert (page.FILES / imported).is_file()


def test_whatever_is_said_is_text() -> None:
    said = page.render("/user/ada/", app="x", title="<script>\"'", home="/", share="")
    assert '<script>"' not in said
    assert "&lt;script&gt;&#34;&#39;" in said
    assert f"/user/ada/drybench/{page.address()}frame.css" in said
    assert "{{" not in said


@pytest.mark.parametrize("name", MODULES)
def test_every_word_has_its_sentence(name: str) -> None:
    words = set(re.findall(r'data-word="([^"]+)"', text("frame.html")))
    assert set(re.findall(r'(?<![#.])\bsay\("([^"]+)"', text(name))) <= words


def test_neither_script_nor_style_is_in_the_page_itself() -> None:
    """Its policy allows only files, so what is in it would do nothing."""
    html = Path(page.FILES / "frame.html").read_text()
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", html)
    assert re.findall(r"<script[^>]*>", html) == ['<script type="module" src="{{ files }}frame.js">']
