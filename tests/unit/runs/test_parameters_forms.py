"""What a form learns from a parameters cell: kinds, labels, choices, ranges; in Python, R and Julia."""

from __future__ import annotations

from typing import Any

import pytest

from drybench.runs.parameter_checks import takes
from drybench.runs.parameters import Parameter, read_parameters
from tests.unit.runs.test_parameters import a_notebook

KERNELS = {"python": "python3", "R": "ir", "julia": "julia-1.9"}


def one(source: str, language: str = "python") -> Parameter:
    (found,) = read_parameters(a_notebook(("parameters", source), language=language, kernel=KERNELS[language]))
    return found


def names(source: str, language: str = "python") -> list[str]:
    cell = ("parameters", source)
    return [found.name for found in read_parameters(a_notebook(cell, language=language, kernel=KERNELS[language]))]


class TestKinds:
    @pytest.mark.parametrize(
        ("source", "kind", "start"),
        [
            ("x = 1", "whole", "1"),
            ("x = 1_000", "whole", "1_000"),
            ("x = -1.5e3", "number", "-1.5e3"),
            ("x: float = 1", "number", "1"),
            ("x: int | float = 1", "number", "1"),
            ("x = True", "yes_no", "true"),
            ("x = 'a'", "text", "a"),
            ("x = 'a' 'b'", "text", "ab"),
            ("x = 'a\\nb'", "lines", "a\nb"),
            ("x: str = '''a\nb'''", "lines", "a\nb"),
            ("x = ['a', 1]", "list", "['a', 1]"),
            ("x = [\n 'a', # first\n 1]", "list", '["a", 1]'),
            ("x = (1,)", "list", "(1,)"),
            ("x = {'a': {'b': None}}", "mapping", "{'a': {'b': None}}"),
            ("x = None", "nothing", ""),
            ("x: int | None = None", "whole", ""),
            ("x: Optional[dict] = None", "mapping", ""),
            ("x: int | str = 1", "other", "1"),
            ("x: Any = 1", "other", "1"),
            ("x: np.ndarray = load()", "other", ""),
            ("x = load()", "other", ""),
            ("x = 1  # type: float", "number", "1"),
            ("x = []  # type: List[str] the names", "list", "[]"),
            ("x: 'Path' = 'a.csv'", "path", "a.csv"),
            ("x: str | Path = 'a.csv'", "path", "a.csv"),
            ("x: FilePath = 'a.csv'", "path", "a.csv"),
            ("x: pathlib.Path = pathlib.Path('a.csv')", "path", "a.csv"),
            ("x = Path('a.csv')", "path", "a.csv"),
            ("x = 'a.csv'  # path", "path", "a.csv"),
            ("x = None  # folder: where the images lie", "path", ""),
            ("input_path = 'a.csv'", "path", "a.csv"),
            ("Folder: str = '.'", "path", "."),
            ("profile = 'a'", "text", "a"),
            ("n_path = 3", "whole", "3"),
            ("x: Literal['a', 'b'] = 'a'", "choice", "a"),
            ("x = 2  # {1, 2}", "choice", "2"),
        ],
    )
    def test_by_annotation_default_comment_or_name(self, source: str, kind: str, start: str) -> None:
        found = one(source)
        assert (found.kind, found.start) == (kind, start)

    @pytest.mark.parametrize(
        ("source", "optional"),
        [
            ("x = 1", False),
            ("x = None", True),
            ("x: int = None", True),
            ("x: int | None = 1", True),
            ("x: Optional[int] = 1", True),
            ("x: Literal['a', None] = 'a'", True),
        ],
    )
    def test_optional(self, source: str, optional: bool) -> None:
        assert one(source).optional is optional

    @pytest.mark.parametrize(
        ("source", "words"),
        [
            ("x = 1", "a whole number"),
            ("x: int | None = 1  # 0..10", "a whole number from 0 to 10, or nothing"),
            ("x = 1.0  # <= 2.5", "a number of at most 2.5"),
            ("x = None", "anything"),
            ("x = f()", "anything"),
            ("x: int | str = 1", "a whole number or text"),
            ("x: Literal[1, 'a'] = 1", 'one of 1, "a"'),
            ("x = Path('a')", "the path of a file or folder"),
        ],
    )
    def test_in_words(self, source: str, words: str) -> None:
        assert takes(one(source)) == words


class TestComments:
    @pytest.mark.parametrize(
        ("comment", "facts"),
        [
            ("0..10", {"minimum": 0, "maximum": 10, "label": ""}),
            ("0 to 10 by 0.5", {"minimum": 0, "maximum": 10, "step": 0.5}),
            ("-1.5..1e3; how far", {"minimum": -1.5, "maximum": 1000.0, "label": "how far"}),
            ("how far; >= 0", {"minimum": 0, "maximum": None, "label": "how far"}),
            ("≥ 0, ≤ 5", {"minimum": 0, "maximum": 5}),
            (">= 0 and <= 5 by 5; a; b", {"minimum": 0, "maximum": 5, "step": 5, "label": "a; b"}),
            ("<= 5", {"minimum": None, "maximum": 5}),
            ("how far [0..10]", {"minimum": 0, "maximum": 10, "label": "how far"}),
            ("type: int how far; 0..10", {"minimum": 0, "label": "how far", "help": "how far; 0..10"}),
        ],
    )
    def test_a_range(self, comment: str, facts: dict[str, Any]) -> None:
        found = one(f"x = 1  # {comment}")
        assert {key: getattr(found, key) for key in facts} == facts
        assert found.kind == "whole"

    @pytest.mark.parametrize(
        "comment",
        [
            "takes 5 to 10 minutes",
            "5 to 10 minutes",
            "10..0",
            "0 to 10 by 0",
            "see [1]",
            "one of the best",
            "{not a set",
            "{'a': 1}",
            "{[1]}",
            "0.." + "9" * 400,
        ],
    )
    def test_words_for_people_stay_words(self, comment: str) -> None:
        found = one(f"x = 1  # {comment}")
        assert (found.kind, found.label, found.minimum, found.maximum) == ("whole", comment, None, None)

    @pytest.mark.parametrize(
        ("source", "choices"),
        [
            ("x = 'a'  # one of: a, b, two words", ["a", "b", "two words"]),
            ("x = 'a'  # one of a, 'b'", ["a", "b"]),
            ("x = 'a'  # {'a', \"b\"}", ["a", "b"]),
            ("x = 'a'  # which {one}", []),
            ("x = 1  # one of: 1, 2; how many", [1, 2]),
            ("x = '1'  # one of: 1, 2", ["1", "2"]),
            ("x = 1  # one of: a, b", []),
            ("x = 1.5  # {1, 2}", [1.5, 1, 2]),
            ("x = None  # one of: a, b", ["a", "b"]),
            ("x = 'c'  # one of: a, b, a", ["c", "a", "b"]),
            ("x: Literal['a', 1] = 'a'", ["a", 1]),
            ("x: typing.Optional[Literal['a']] = None", ["a"]),
            ("x: Literal['a'] | int = 'a'", []),
        ],
    )
    def test_choices(self, source: str, choices: list[Any]) -> None:
        found = one(source)
        assert list(found.choices) == choices
        assert (found.kind == "choice") is bool(choices)

    @pytest.mark.parametrize(
        ("source", "label"),
        [
            ("x = [ # first\n 1, # inside\n]", "first"),
            ("x = [ # first\n 1, # inside\n] # last", "last"),
            ("x = [\n 1, # inside\n]", ""),
            ("# above\nx = 1", ""),
            ("x = 1; # of both", "of both"),
            ("x = 'a # b'  ## c # d", "c # d"),
            ("x = 1  # type: ignore[assignment] how", "how"),
        ],
    )
    def test_which_comment_is_the_label(self, source: str, label: str) -> None:
        if label == "of both":
            label = ""  # behind the semicolon stands nothing that it could be beside
        assert one(source).label == label


class TestR:
    @pytest.mark.parametrize(
        ("source", "type", "kind", "start"),
        [
            ("x <- 1L  # label", "integer", "whole", "1"),
            ("x = 1", "numeric", "number", "1"),
            ("x <<- -1e-3", "numeric", "number", "-1e-3"),
            ("x <- 'a'", "character", "text", "a"),
            ('x <- "a\\"\\u00e9"', "character", "text", 'a"é'),
            ("x <-\n  TRUE", "logical", "yes_no", "true"),
            ("x <- NULL", "NULL", "nothing", ""),
            ("x <- NA", "NULL", "nothing", ""),
            ("x <- c(1, 2)", "list", "list", "[1.0, 2.0]"),
            ("x <- c('a',\n  'b')", "list", "list", '["a", "b"]'),
            ("x <- list(a = 1L, 'b c' = list())", "list", "mapping", '{"a": 1, "b c": []}'),
            ("x <- list(1, a = 2)", "", "other", ""),
            ("x <- seq(1, 10)", "", "other", ""),
            ("x <- 1 + 2", "", "other", ""),
            ("x <- function(y = 1) { z <- 2 }", "", "other", ""),
        ],
    )
    def test_defaults(self, source: str, type: str, kind: str, start: str) -> None:
        found = one(source, "R")
        assert (found.name, found.type, found.kind, found.start) == ("x", type, kind, start)

    def test_comments_names_and_defaults_as_written(self) -> None:
        found = one("my.rate <- 0.5  # how fast; 0..1", "R")
        assert (found.name, found.default, found.label, found.maximum) == ("my.rate", "0.5", "how fast", 1)

    def test_several(self) -> None:
        assert names(
            "library(x)\na <- 1; b <- 2\nx$c <- 3\nd[1] <- 4\ne <- 'two\nlines' # e\nif (a == 1) f <- 2", "R"
        ) == [
            "a",
            "b",
            "e",
        ]


class TestJulia:
    @pytest.mark.parametrize(
        ("source", "type", "kind", "start"),
        [
            ("x = 1  # label", "Int", "whole", "1"),
            ("const x::Int = 1", "Int", "whole", "1"),
            ("x::Float64 = 1", "Float64", "number", "1"),
            ("x::Union{Int, Nothing} = nothing", "Union{Int, Nothing}", "whole", ""),
            ("x = [1, 2]", "Vector", "list", "[1, 2]"),
            ("x::Vector{String} = []", "Vector{String}", "list", "[]"),
            ('x = Dict("a" => 1, "b" => [true])', "Dict", "mapping", '{"a": 1, "b": [true]}'),
            ("x = Dict()", "Dict", "mapping", "{}"),
            ("x = false", "Bool", "yes_no", "false"),
            ("x = nothing", "Nothing", "nothing", ""),
            ('x = "a\\$b"', "String", "text", "a$b"),
            ('x = "a$b"', "", "other", ""),
            ('x = raw"a$b"', "String", "text", "a$b"),
            ("x = 1:10", "", "other", ""),
            ("x = [1 2; 3 4]", "", "other", ""),
            ("x = y'", "", "other", ""),
            ("x = 0.5f0", "", "other", ""),
        ],
    )
    def test_defaults(self, source: str, type: str, kind: str, start: str) -> None:
        found = one(source, "julia")
        assert (found.name, found.type, found.kind, found.start) == ("x", type, kind, start)

    def test_several(self) -> None:
        source = "using X\n#= a = 1\nb = 2 =#\nc = d' # e\nfunction f()\n  g = 1\nend\nh = i = 2\nj += 1\n(k, l) = 1, 2"
        assert names(source, "julia") == ["c", "h", "i"]
