"""Whatever stands in a cell or is typed, reading it ends; whatever fits goes into the notebook as it is."""

from __future__ import annotations

import ast
import json
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from papermill.translators import PythonTranslator

from drybench.runs.cell_tokens import tokens
from drybench.runs.literals import NotLiteral, literal
from drybench.runs.parameter_cells import written
from drybench.runs.parameters import check, inject, problem_of, read_parameters
from drybench.runs.typed_text import Problem, Unset, from_text
from tests.unit.runs.test_parameters import a_notebook
from tests.unit.runs.test_parameters_forms import KERNELS, one

LANGUAGES = ["python", "R", "julia"]
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NO_ZEROS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)
PIECES = st.sampled_from(
    [
        *("x", " = ", "<-", "::", ":", "'", '"', '"""', "#", "#=", "=#", "\n", "\\", "(", ")", "[", "]", "{", "}"),
        *(",", ";", "1", "0..1", "one of: ", "Literal", "Optional", "|", "%", "c", "Dict", "=>", "-", "`", "$"),
        *("\ud800", "é", " "),
    ]
)
CODE = st.lists(PIECES, max_size=40).map("".join) | st.text(max_size=60)


@pytest.mark.parametrize("language", LANGUAGES)
@given(source=CODE, typed=CODE)
@settings(deadline=None)
def test_no_cell_and_nothing_typed_is_too_strange(language: str, source: str, typed: str) -> None:
    for cell in (source, f"x = {source}", f"x: {source} = 1", f"x = 1 # {source}"):
        notebook = a_notebook(("parameters", cell), language=language, kernel=KERNELS[language])
        for found in read_parameters(notebook):
            json.dumps(vars(found), allow_nan=False).encode()
            value = from_text(found, typed)
            assert isinstance(value, Unset | Problem) or problem_of(found, value) is None


@given(source=CODE)
def test_every_letter_is_in_one_token_at_most(source: str) -> None:
    for language in ("python", "r", "julia"):
        ends = [0, *(place for token in tokens(source, language) for place in (token.start, token.end))]
        assert ends == sorted(ends)


@given(value=JSON)
def test_a_literal_is_read_as_python_reads_it(value: Any) -> None:
    assert literal(repr(value)) == value


@given(text=WORDS | CODE, quote=st.sampled_from(["'", '"', "'''", '"""', "r'", "f'", "b'"]))
@pytest.mark.filterwarnings("ignore")
def test_a_text_is_read_as_python_reads_it_or_not_at_all(text: str, quote: str) -> None:
    written = f"{quote}{text}{quote.lstrip('rfb')}"
    try:
        meant = ast.literal_eval(written)
    except (SyntaxError, ValueError, MemoryError):
        return
    with suppress(NotLiteral):
        assert literal(written) == (list(meant) if isinstance(meant, tuple) else meant)


@given(values=st.dictionaries(st.sampled_from(["a", "b", "_c", "größe"]), JSON, min_size=1))
@settings(deadline=None)
def test_what_goes_in_comes_out_in_python(values: dict[str, Any]) -> None:
    notebook = a_notebook(("parameters", "a = b = _c = größe = None"))
    made = inject(notebook, check(read_parameters(notebook), values))
    said: dict[str, Any] = {}
    exec(made["cells"][1]["source"], said)
    assert {name: said[name] for name in values} == values
    assert made["metadata"]["papermill"]["parameters"] == values


@pytest.mark.parametrize("language", ["R", "julia"])
@given(value=st.recursive(NO_ZEROS | st.booleans() | st.integers(-99, 99), lambda inner: st.lists(inner, min_size=1)))
@settings(deadline=None)
def test_what_goes_in_comes_out_in_other_languages(language: str, value: Any) -> None:
    notebook = a_notebook(("parameters", "x = 1"), language=language, kernel=KERNELS[language])
    (found,) = written(inject(notebook, {"x": value})["cells"][1]["source"], language.lower())
    assert found.value == value


@pytest.mark.parametrize(("language", "said"), [("R", '"größe $(a)"'), ("julia", '"größe \\$(a)"')])
def test_a_text_is_only_text_in_other_languages(language: str, said: str) -> None:
    notebook = a_notebook(("parameters", "x = 'a'"), language=language, kernel=KERNELS[language])
    assert inject(notebook, {"x": "größe $(a)"})["cells"][1]["source"] == f"# Parameters\nx = {said}\n"


@given(value=JSON)
@settings(deadline=None)
def test_a_default_typed_as_it_starts_is_the_default(value: Any) -> None:
    found = one(f"x = {value!r}")
    if found.kind == "nothing" or not found.start.strip() or found.start in ('""', "''"):
        return
    assert from_text(found, found.start) == (value.strip() if found.kind == "path" else value)


@pytest.mark.parametrize("line", ["a = 1  # how many", "b: float = 2.0", "c = 'x'  # type: str the name", "d = [1]"])
def test_a_plain_line_is_read_as_papermill_reads_it(line: str) -> None:
    (theirs,) = PythonTranslator.inspect({"source": line})
    ours = one(line)
    assert (ours.name, ours.default, ours.help) == (theirs.name, theirs.default, theirs.help)
    assert theirs.inferred_type_name in ("None", ours.type)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "piece",
    [" ", "(", "[1,", "'", '"', '"\\', "x = ", "x: ", "x:[", "# ", "#=", "\\\n", "a|", "Optional[", "\n", "9", "x=1;"],
)
def test_a_cell_made_to_be_slow_is_not(language: str, piece: str) -> None:
    """Within a second of the processor's time, at the longest that is read; a backtracking pattern takes hours."""
    begun = time.process_time()
    for source in (piece * (65_000 // len(piece)), "x: " + piece * (50_000 // len(piece)) + "= 1 #"):
        read_parameters(a_notebook(("parameters", source), language=language, kernel=KERNELS[language]))
    read_parameters(a_notebook(("parameters", "x = 1 # " + piece.replace("\n", "") * 5_000), language=language))
    assert time.process_time() - begun < 1.5
