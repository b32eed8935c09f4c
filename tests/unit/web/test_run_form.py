"""What is typed into New run becomes what the notebook's own cell asks for."""

from __future__ import annotations

import pytest
from starlette.datastructures import FormData

from drybench.errors import NoSuchFolder, ParametersWrong, Refused, TimeoutWrong, TimeWrong
from drybench.runs.notebooks import read_notebook
from drybench.runs.parameters import read_parameters
from drybench.web.run_form import RunForm, filled
from drybench.web.shapes import InspectedJson, ParameterJson
from tests.unit.web.little_bench import notebook

CELL = """step: int = 2
name = 'disc'
ratio = 0.5
fast = True
anything = None
names = ['a']
text: str = "1"
computed = 60 * 60
"""


def form(**typed: str) -> RunForm:
    read = read_parameters(read_notebook(notebook("1", parameters=CELL), 1 << 20))
    found = InspectedJson(
        parameters=[ParameterJson.of(one) for one in read],
        has_cell=True,
        note="",
        kernel="python3",
        language="python",
    )
    fields = FormData([(f"p.{name}", text) for name, text in typed.items()])
    return filled(fields).with_notebook(found, "a.ipynb")


def test_the_fields_stand_as_the_notebook_has_them() -> None:
    fields = {field.name: (field.kind, field.start) for field in form().fields}
    assert fields["step"] == ("number", "2")
    assert fields["name"] == ("text", "disc")
    assert fields["fast"] == ("bool", "true")
    assert fields["anything"] == ("other", "")
    assert fields["names"] == ("other", "['a']")
    assert fields["computed"] == ("other", "")


def test_what_nobody_changed_is_not_given() -> None:
    untouched = {field.name: field.start for field in form().fields}
    assert form(**untouched).parameters() == {}


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        ("step", "5", 5),
        ("step", " 5 ", 5),
        ("ratio", "1e-3", 0.001),
        ("fast", "false", False),
        ("name", '""', ""),
        ("name", "12", "12"),
        ("text", "true", "true"),
        ("anything", "12", 12),
        ("anything", "None", None),
        ("anything", "some words", "some words"),
        ("names", '["b", "c"]', ["b", "c"]),
        ("names", "['b', 'c']", ["b", "c"]),
        ("step", "many", "many"),
    ],
)
def test_a_value_is_read_by_what_is_asked_for(name: str, typed: str, value: object) -> None:
    assert form(**{name: typed}).parameters() == {name: value}


def test_a_field_left_empty_leaves_the_default() -> None:
    assert form(step="", anything="", name="").parameters() == {}


def test_a_wrong_value_is_said_at_its_field() -> None:
    refused = form(step="many", name="x").refused(ParametersWrong(problems="", next_step=""))
    assert list(refused.problems) == ["p.step"]
    assert "whole number" in refused.problems["p.step"]


@pytest.mark.parametrize(("typed", "seconds"), [("", None), ("90 min", 5400), (" 2 h ", 7200), ("30", 30)])
def test_a_time_limit_is_read_as_people_write_it(typed: str, seconds: float | None) -> None:
    assert filled(FormData([("limit", typed)])).timeout() == seconds


@pytest.mark.parametrize(
    ("refusal", "where"),
    [(TimeWrong(typed="soon"), "limit"), (TimeoutWrong(), "limit"), (NoSuchFolder(path="/x"), "cwd")],
)
def test_what_is_wrong_with_a_wish_is_said_at_its_field(refusal: Refused, where: str) -> None:
    refused = form(step="many").refused(refusal)
    assert refused.problems[where] == f"{refusal.sentence} {refusal.step}"
    assert set(refused.problems) == {where, "p.step"}


def test_lines_serve_where_the_cell_cannot_be_read() -> None:
    lines = filled(FormData([("lines", "a=1\n\nb = two words \nc=x=y")]))
    assert lines.parameters() == {"a": 1, "b": "two words", "c": "x=y"}
