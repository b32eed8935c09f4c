from __future__ import annotations

import tomllib

import pytest

from drybench.toml_lines import line_of_error, lines_of


def test_keys_and_tables_by_the_line_on_which_they_begin() -> None:
    text = '# a comment\n[a.b]\nx = 1\n\ny = """\nz = 2\n"""\n[c]\nlist = [\n 1,\n]\nd.e = {f = 1}\n"quoted.key" = 1\n'
    assert lines_of(text) == {
        ("a",): 2,
        ("a", "b"): 2,
        ("a", "b", "x"): 3,
        ("a", "b", "y"): 5,
        ("c",): 8,
        ("c", "list"): 9,
        ("c", "d"): 12,
        ("c", "d", "e"): 12,
        ("c", "d", "e", "f"): 12,
        ("c", "quoted.key"): 13,
    }


def test_tables_of_a_list_by_their_numbers() -> None:
    text = 'x = 1\n[[apps]]\nname = "a"\n\n[[apps]]\nname = "b"\n'
    found = lines_of(text)
    assert (found["apps",], found["apps", "0"], found["apps", "1"], found["apps", "1", "name"]) == (2, 2, 5, 6)


@pytest.mark.parametrize(("text", "line"), [("a = 1\nb =\n", 2), ("a = [\n1,\n", 2), ("", 1)])
def test_where_a_text_stops_being_toml(text: str, line: int) -> None:
    try:
        tomllib.loads(text)
        error = tomllib.TOMLDecodeError("nothing (at end of document)")
    except tomllib.TOMLDecodeError as found:
        error = found
    assert line_of_error(error, text) == line
