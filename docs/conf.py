"""How Sphinx makes the pages. Nothing is fetched: no theme file, no inventory, no font from elsewhere."""

from __future__ import annotations

from importlib.metadata import version as version_of

project = "Drybench"
copyright = "2026, Drybench contributors"
version = release = version_of("drybench")
extensions = ["myst_parser", "sphinx_copybutton", "sphinx_design"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
html_theme = "pydata_sphinx_theme"
html_title = "Drybench"
html_show_sourcelink = False
html_theme_options = {
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "navbar_end": ["theme-switcher"],
}
copybutton_prompt_text = "$ "
