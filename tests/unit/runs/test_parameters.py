from __future__ import annotations

import copy
import json
from typing import Any

import nbformat
import pytest
from papermill.parameterize import parameterize_notebook

from drybench import errors
from drybench.runs.notebooks import read_notebook
from drybench.runs.parameters import Parameter, check, inject, problem_of, read_parameters


def a_notebook(
    *cells: tuple[str, str], language: str | None = "python", kernel: str | None = "python3"
) -> dict[str, Any]:
    """Of (tag, source); an empty tag is none."""
    metadata: dict[str, Any] = {}
    if kernel:
        metadata["kernelspec"] = {"name": kernel, "display_name": kernel}
    if language:
        metadata["language_info"] = {"name": language}
    made = [
        {"cell_type": "code", "source": source, "metadata": {"tags": [tag]} if tag else {}} for tag, source in cells
    ]
    return read_notebook(json.dumps({"nbformat": 4, "metadata": metadata, "cells": made}).encode(), 10**6)


def parameters(source: str) -> list[Parameter]:
    return list(read_parameters(a_notebook(("", "import os"), ("parameters", source))))


def problems(source: str, **values: Any) -> str:
    with pytest.raises(errors.ParametersWrong) as refused:
        check(read_parameters(a_notebook(("parameters", source))), values)
    return refused.value.sentence


class TestReading:
    def test_name_type_default_and_help(self) -> None:
        assert parameters("a = 1  # how many\nb: float = 2.0\nc = 'x'  # type: str the name") == [
            Parameter("a", "int", "whole", "1", "1", "how many", "how many"),
            Parameter("b", "float", "number", "2.0", "2.0"),
            Parameter("c", "str", "text", "'x'", "x", "the name", "the name"),
        ]

    @pytest.mark.parametrize(
        ("line", "kind", "default"),
        [
            ("x = 'a=b'", "str", "'a=b'"),
            ("x = 'a#b'", "str", "'a#b'"),
            ("x = f(y=1)", "", "f(y=1)"),
            ("x: int | None = 3", "int | None", "3"),
            ("x: 'int' = 3", "int", "3"),
            ("x = [\n  1,\n  2,\n]", "list", "[\n  1,\n  2,\n]"),
            ("x = None", "NoneType", "None"),
            ("x = -1", "int", "-1"),
            ("x = 2 * 60", "", "2 * 60"),
            ("%matplotlib inline\nx = 3", "int", "3"),
            ("!echo ( 'unclosed\nx = 3", "int", "3"),
            ("x = r'C:\\new'", "str", "r'C:\\new'"),
            ("x = 'C:\\data'", "str", "'C:\\data'"),
            ("x = '''a\n= b'''", "str", "'''a\n= b'''"),
            ("x = (1 +\n  2)", "", "(1 +\n  2)"),
            ("x = 1 + \\\n  2", "", "1 + \\\n  2"),
            ("x = f'{1}'", "", "f'{1}'"),
            ("a.b = 1; c[0] = 2; (d, e) = 1, 2; f, g = 1, 2; x += 1; x = 3", "int", "3"),
            ("def f():\n    y = 1\nx = f(y=2)", "", "f(y=2)"),
            ("if True:\n    x = 1", "int", "1"),
            ("x = 1\nx = 2", "int", "2"),
            ("x == 1\nx = (1, 2)", "tuple", "(1, 2)"),
            ("x = {1, 2}", "set", "{1, 2}"),
            ("x = {1: 'a'}", "dict", "{1: 'a'}"),
            ("x = Path('a')", "Path", "Path('a')"),
        ],
    )
    def test_lines_that_are_hard_to_read(self, line: str, kind: str, default: str) -> None:
        (found,) = parameters(line)
        assert (found.name, found.type.strip("'"), found.default) == ("x", kind, default)

    def test_they_come_in_the_order_of_the_cell(self) -> None:
        assert [p.name for p in parameters("b = 1\na = 'x=y'\nc = 3")] == ["b", "a", "c"]

    def test_an_empty_cell_has_none(self) -> None:
        found = read_parameters(a_notebook(("parameters", "# nothing\n")))
        assert not found
        assert found.has_cell

    def test_no_such_cell(self) -> None:
        found = read_parameters(a_notebook(("", "a = 1")))
        assert not found.has_cell
        assert "no cell tagged `parameters`" in found.note

    def test_another_language_has_none_and_says_why(self) -> None:
        found = read_parameters(a_notebook(("parameters", "val a = 1"), language="scala", kernel="scala"))
        assert len(found) == 0
        assert "in scala" in found.note

    def test_a_cell_too_long_is_not_read_and_says_so(self) -> None:
        found = read_parameters(a_notebook(("parameters", "a = 1\n" * 50_000)))
        assert len(found) == 0
        assert "longer than 64 KiB" in found.note

    def test_more_parameters_than_a_form_can_have(self) -> None:
        source = "\n".join(f"a{number} = 1" for number in range(1002))
        found = read_parameters(a_notebook(("parameters", source)))
        assert len(found) == 1000
        assert "first 1000 of 1002" in found.note
        assert check(found, {"a1001": 1}) == {"a1001": 1}

    def test_a_notebook_that_names_no_language_is_python(self) -> None:
        assert read_parameters(a_notebook(("parameters", "a = 1"), language=None, kernel=None))[0].type == "int"


class TestChecking:
    @pytest.mark.parametrize(
        ("source", "value"),
        [
            ("x = 1", 2),
            ("x = 1.0", 2),
            ("x: float = 1", 2.5),
            ("x = 'a'", "b"),
            ("x = True", False),
            ("x = []", [1, "a", None]),
            ("x = (1, 2)", [3]),
            ("x = {}", {"a": {"b": [1]}}),
            ("x: dict[str, list[int]] = {}", {"a": [1]}),
            ("x: typing.Optional[int] = 1", None),
            ("x: Optional[list[int]] = [1]", None),
            ("x: Union[int, str] = 1", "a"),
            ("x: int | None = 1", None),
            ("x: Path = 'a'", "b"),
            ("x: Any = 'a'", 7),
            ("x: 'Literal[1, 2] | None' = 1", 2),
            ("x: int = 1  # 0 to 10 by 2", 10),
            ("x = 0.0  # 0 to 1 by 0.1", 0.3),
            ("x = 0.0  # 0 to 1", 1),
            ("x = 'a'  # one of: b, c", "a"),
            ("x = None", {"any": "thing"}),
            ("x: int = None", None),
            ("x: int = None", 3),
            ("x = compute()", "any"),
        ],
    )
    def test_fits(self, source: str, value: Any) -> None:
        found = read_parameters(a_notebook(("parameters", source)))
        assert check(found, {"x": value}) == {"x": value}

    @pytest.mark.parametrize(
        ("source", "value"),
        [
            ("x = 1", 2.0),
            ("x = 1", True),
            ("x = 1", "2"),
            ("x = 1", None),
            ("x = 1.0", True),
            ("x = True", 1),
            ("x = 'a'", 7),
            ("x = []", {}),
            ("x = {}", []),
            ("x: int = load()", "a"),
            ("x: list[int] = []", "a"),
            ("x: Optional[int] = 1", "a"),
            ("x: Union[int, str] = 1", 1.5),
            ("x: int = None", "any"),
            ("x: Path = 'a'", 7),
            ("x: Literal['a', 'b'] = 'a'", "c"),
            ("x: Literal[1, 2] = 1", True),
            ("x: Literal[1, 2] = 1", None),
            ("x = 1  # 0..10", 11),
            ("x = 1  # 0..10", -1),
            ("x = 1  # 0 to 10 by 2", 3),
            ("x = 1.0  # >= 0", -0.001),
            ("x = 1.0  # <= 1", 1e300),
            ("x = 'a'  # one of: a, b", "c"),
        ],
    )
    def test_does_not_fit(self, source: str, value: Any) -> None:
        assert "`x` is " in problems(source, x=value)

    def test_all_problems_are_said_at_once(self) -> None:
        said = problems("alpha = 1\nbeta = 'b'", alhpa=1, beta=7, **{"not a name": 1, "class": 2})
        assert "`alhpa` is not one of them (did you mean `alpha`?)" in said
        assert "`beta` is text, not 7 (a whole number)" in said
        assert "'not a name' cannot be the name of a parameter" in said
        assert "'class' cannot be" in said

    def test_the_next_step_says_what_there_is(self) -> None:
        with pytest.raises(errors.ParametersWrong) as refused:
            check(read_parameters(a_notebook(("parameters", "a = 1\nb = 2"))), {"zz": 1})
        assert "It takes `a`, `b`." in refused.value.step

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1, 2}, "half \ud800"])
    def test_what_is_no_json(self, value: Any) -> None:
        assert "not plain JSON" in problems("x = None", x=value)

    def test_a_number_too_long_to_be_written(self) -> None:
        assert "not plain JSON" in problems("x = None", x=10**5000)

    def test_a_cycle_and_a_depth_without_end(self) -> None:
        cycle: list[Any] = []
        cycle.append(cycle)
        assert "not plain JSON" in problems("x = None", x=cycle)
        deep: list[Any] = []
        for _ in range(100_000):
            deep = [deep]
        assert "not plain JSON" in problems("x = None", x=deep)

    def test_deeper_than_can_be_written(self) -> None:
        deep: list[Any] = []
        for _ in range(60):
            deep = [deep]
        assert "lists in each other" in problems("x = None", x=deep)

    @pytest.mark.parametrize(
        ("source", "value", "sentence"),
        [
            ("x = 1  # 0..10", 11, "`x` is a whole number from 0 to 10, not 11"),
            ("x = 1  # 0..10", "a", '`x` is a whole number from 0 to 10, not "a" (text)'),
            (
                "x: float | None = 1  # 0 to 1 by 0.5",
                2,
                "`x` is a number from 0 to 1 in steps of 0.5, or nothing, not 2",
            ),
            ("x = 1  # >= 0", -1, "`x` is a whole number of at least 0, not -1"),
            ("x = 'a'  # one of: a, b", "c", '`x` is one of "a", "b", not "c"'),
            ("x = None", float("nan"), "`x` does not fit: a value is not plain JSON"),
        ],
    )
    def test_one_value_by_itself_has_a_sentence(self, source: str, value: Any, sentence: str) -> None:
        (parameter,) = parameters(source)
        assert (problem_of(parameter, value) or "").startswith(sentence)

    def test_nothing_is_wrong_with_what_fits(self) -> None:
        (parameter,) = parameters("x = 1  # 0..10")
        assert problem_of(parameter, 10) is None

    @pytest.mark.parametrize(
        ("language", "kernel", "source", "name", "fits"),
        [
            ("R", "ir", "my.parameter <- 1L", "my.parameter", True),
            ("R", "ir", "a <- 1L", "TRUE", False),
            ("R", "ir", "a <- 1L", "a); system('x'", False),
            ("julia", "julia-1.9", "α = 1", "α", True),
            ("julia", "julia-1.9", "a = 1", "end", False),
            ("julia", "julia-1.9", "a = 1", "my.parameter", False),
            ("scala", "scala", "val a = 1", "a.b", False),
        ],
    )
    def test_names_by_the_language(self, language: str, kernel: str, source: str, name: str, fits: bool) -> None:
        found = read_parameters(a_notebook(("parameters", source), language=language, kernel=kernel))
        if fits:
            assert check(found, {name: 2}) == {name: 2}
        else:
            with pytest.raises(errors.ParametersWrong, match="cannot be the name"):
                check(found, {name: 2})

    def test_too_much(self) -> None:
        assert "1 MiB is the most" in problems("x = None", x="a" * (1 << 20))

    def test_values_without_a_parameters_cell(self) -> None:
        found = read_parameters(a_notebook(("", "a = 1")))
        assert check(found, {}) == {}
        with pytest.raises(errors.NoParametersCell, match="no cell tagged `parameters`, so it takes no `a`, `b`"):
            check(found, {"a": 1, "b": 2})

    def test_in_another_language_every_name_may_be_meant(self) -> None:
        found = read_parameters(a_notebook(("parameters", "val a = 1"), language="scala", kernel="scala"))
        assert check(found, {"whatever": 1}) == {"whatever": 1}

    def test_text_like_script_is_only_text(self) -> None:
        found = read_parameters(a_notebook(("parameters", "x = ''")))
        assert check(found, {"x": "<script>alert(1)</script>"}) == {"x": "<script>alert(1)</script>"}


VALUES = {"a": 4, "b": -2.5, "c": 'it\'s "so"\n\\', "d": None, "e": True, "f": [1, ["x"]], "g": {"k": {"l": 1}}}


class TestInjecting:
    @pytest.mark.parametrize(
        ("language", "kernel"),
        [("python", "python3"), ("R", "ir"), ("julia", "julia-1.9"), ("matlab", "matlab"), ("scala", "scala")],
    )
    @pytest.mark.parametrize(
        "cells",
        [
            [("", "1"), ("parameters", "a = 1"), ("", "a")],
            [("parameters", "a = 1"), ("injected-parameters", "a = 2"), ("", "a")],
            [("", "1"), ("injected-parameters", "a = 2")],
        ],
    )
    def test_as_papermill_does(self, cells: list[tuple[str, str]], language: str, kernel: str) -> None:
        notebook = a_notebook(*cells, language=language, kernel=kernel)
        theirs = nbformat.from_dict(copy.deepcopy(notebook))
        theirs.metadata["papermill"] = {}
        for cell in theirs.cells:
            cell.metadata.setdefault("tags", [])
        theirs = parameterize_notebook(theirs, VALUES)
        ours = inject(notebook, VALUES)
        assert [cell["source"] for cell in ours["cells"]] == [cell["source"] for cell in theirs["cells"]]
        assert [cell["metadata"].get("tags") for cell in ours["cells"]] == [
            cell["metadata"].get("tags") for cell in theirs["cells"]
        ]
        assert ours["metadata"]["papermill"]["parameters"] == VALUES
        assert json.loads(json.dumps(ours)) == ours

    def test_the_cell_comes_after_the_parameters(self) -> None:
        made = inject(a_notebook(("", "1"), ("parameters", "a = 1"), ("", "a")), {"a": 2})
        assert made["cells"][2]["source"] == "# Parameters\na = 2\n"
        assert made["cells"][2]["metadata"]["tags"] == ["injected-parameters"]
        assert made["metadata"]["papermill"]["parameters"] == {"a": 2}

    def test_what_was_given_stays_as_it_was(self) -> None:
        notebook = a_notebook(("parameters", "a = 1"))
        before = copy.deepcopy(notebook)
        inject(notebook, {"a": 2})
        assert notebook == before

    def test_without_values_nothing_is_injected(self) -> None:
        notebook = a_notebook(("parameters", "a = 1"))
        assert inject(notebook, {}) == notebook

    def test_a_notebook_that_names_no_kernel(self) -> None:
        made = inject(a_notebook(("parameters", "a = 1"), language=None, kernel=None), {"a": 2})
        assert made["cells"][1]["source"] == "# Parameters\na = 2\n"

    @pytest.mark.parametrize(("language", "kernel"), [("cobol", "cobol"), ("C#", ".net-csharp")])
    def test_a_language_that_papermill_cannot_write(self, language: str, kernel: str) -> None:
        notebook = a_notebook(("parameters", "a"), language=language, kernel=kernel)
        with pytest.raises(errors.ParametersWrong, match="papermill cannot write"):
            inject(notebook, {"a": None})
