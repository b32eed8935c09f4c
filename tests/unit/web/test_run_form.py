"""What is typed into New run becomes what the notebook's own cell asks for, and what a run can be asked for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import FormData

from drybench.errors import NoSuchFolder, ParametersWrong, Refused, RequirementsWrong
from drybench.model import Tell
from drybench.runs.notebooks import read_notebook
from drybench.runs.parameters import problem_of, read_parameters
from drybench.runs.requests import RunRequest
from drybench.web import run_fields
from drybench.web.run_form import NotebookForm, RunForm, filled, prefilled
from drybench.web.shapes import InspectedJson, ParameterJson
from tests.unit.web.little_bench import notebook

CELL = """step: int = 2 # each n-th frame; 1..50
name = 'disc'
ratio = 0.5
fast = True
anything = None
names = ['a']
text: str = "1"
computed = 60 * 60
mode = 'nuclei' # one of nuclei, membrane
table_path = '/data/a.csv'
words = '''one
two'''
about = {'a': 1}
maybe: bool | None = None
"""
HOUR = 3600


def inspected() -> InspectedJson:
    read = read_parameters(read_notebook(notebook("1", parameters=CELL), 1 << 20))
    return InspectedJson(
        parameters=[ParameterJson.of(one) for one in read],
        has_cell=True,
        note="",
        kernel="python3",
        language="python",
    )


def chosen(**typed: str) -> NotebookForm:
    fields = [(f"n.a1.p.{name}", text) for name, text in typed.items()]
    form = filled(FormData([("n.a1.source", "kept:1"), ("n.a1.name", "a.ipynb"), *fields]))
    return replace(form.notebooks[0], found=inspected())


def typed(**fields: str) -> RunForm:
    return filled(FormData(list(fields.items())))


def test_each_kind_has_its_own_field() -> None:
    fields = {field.name: field for field in chosen().fields}
    assert [choice.words for choice in fields["mode"].choices] == ["nuclei", "membrane"]
    assert [choice.words for choice in fields["maybe"].choices] == ["yes", "no", "nothing"]
    assert (fields["fast"].default, fields["mode"].default) == ("yes", "nuclei")
    assert fields["step"].says == "a whole number from 1 to 50"
    assert (fields["step"].hint, fields["names"].hint, fields["computed"].hint) == ("2", "['a']", "60 * 60")
    assert fields["table_path"].kind == "path"
    assert (fields["name"].rows, fields["words"].rows >= 4, fields["about"].rows) == (0, True, 2)
    assert fields["step"].label == "each n-th frame"


def test_a_text_with_a_line_break_gets_room_for_it() -> None:
    assert {field.name: field.rows for field in chosen(name="a\nb").fields}["name"] >= 2


def test_what_is_left_empty_keeps_the_default() -> None:
    assert chosen(step="", anything="", name=" ", fast="", mode="").parameters() == {}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("step", "5", 5),
        ("step", " 5 ", 5),
        ("ratio", "1e-3", 0.001),
        ("fast", "false", False),
        ("maybe", "None", None),
        ("mode", "membrane", "membrane"),
        ("name", '""', ""),
        ("name", "12", "12"),
        ("text", "true", "true"),
        ("anything", "12", 12),
        ("anything", "None", None),
        ("anything", "some words", "some words"),
        ("names", '["b", "c"]', ["b", "c"]),
        ("names", "['b', 'c']", ["b", "c"]),
        ("about", "{'b': [1]}", {"b": [1]}),
        ("step", "many", "many"),
    ],
)
def test_a_value_is_read_by_what_is_asked_for(name: str, text: str, value: object) -> None:
    assert chosen(**{name: text}).parameters() == {name: value}


def test_a_wrong_value_is_said_at_its_field() -> None:
    refused = chosen(step="many", name="x", ratio="1").refused(ParametersWrong(problems="", next_step=""))
    assert list(refused.problems) == ["step"]
    assert "whole number from 1 to 50" in refused.problems["step"]
    wrong = {one.name: run_fields.problem(one, "51") for one in inspected().parameters}
    assert wrong["step"]
    assert not wrong["ratio"]


@given(
    st.dictionaries(
        st.sampled_from(["anything", "names", "about", "name", "words", "text", "step", "ratio", "fast", "x"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
            max_leaves=5,
        ),
    )
)
def test_what_a_run_had_comes_back_as_it_would_be_typed(values: dict[str, object]) -> None:
    """Where it fits; what a field cannot hold by its kind is refused, and never changed in silence."""
    found = inspected()
    known = {one.name: run_fields.parameter_of(one) for one in found.parameters}
    for name, value in values.items():
        if isinstance(value, str) and not value.strip():
            continue  # a field with nothing but spaces in it is empty
        fits = name not in known or problem_of(known[name], value) is None
        text = run_fields.typed_of({name: value}, found)[name]
        assert not fits or run_fields.values_of({name: text}, "", found) == {name: value}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("", None), ("90 min", 5400), (" 2 h ", 7200), ("30", 30), ("1h 30m", 5400), ("1h30min", 5400)],
)
def test_a_time_limit_is_read_as_people_write_it(text: str, seconds: float | None) -> None:
    assert typed(limit=text).request(chosen(), b"").timeout == seconds


def test_all_wishes_go_into_the_request() -> None:
    form = filled(
        FormData(
            [
                ("n.a1.source", "kept:1"), ("n.a1.name", "a.ipynb"), ("n.a1.p.step", "3"), ("name", " plate 7 "),
                ("environment", "python"), ("size", "large"), ("requirements", "numpy\r\npandas\r\n"), ("limit", "2 h"),
                ("cell_limit", "10 min"), ("hold", "30 min"), ("retries", "2"), ("retry_any", "on"),
                ("tags", "plate 7, screen,, screen"), ("priority", "-5"), ("allow_errors", "on"), ("alone", "on"),
                ("cwd", "/tmp"), ("tell", "failure"), ("channel.c1", "on"),
            ]
        )
    )  # fmt: skip
    request = form.request(form.notebooks[0], b"{}")
    assert request == RunRequest(
        notebook=b"{}", notebook_name="a.ipynb", parameters={"step": 3}, name="plate 7", size="large",
        requirements="numpy\npandas", timeout=2 * HOUR, cell_timeout=600, hold=1800, retries=2, retry_any=True,
        tags=("plate 7", "screen"), priority=-5, allow_errors=True, alone=True, cwd=request.cwd,
        tell=Tell("failure", ("c1",)),
    )  # fmt: skip
    assert form.more


def test_what_was_asked_for_comes_back_as_it_was_typed() -> None:
    asked = RunRequest(
        b"", name="x", timeout=5400, cell_timeout=61.5, hold=90, retries=1, tags=("a", "b"), priority=7, size="large"
    )
    form = prefilled(asked)
    assert (form.limit, form.cell_limit, form.hold, form.tags) == ("1 h 30 min", "1 min 1.5 s", "1 min 30 s", "a, b")
    again = form.request(NotebookForm("1", "run:1", "notebook.ipynb"), b"")
    assert again.timeout == 5400
    assert again.cell_timeout == 61.5
    assert again.hold == 90
    assert (again.tags, again.priority, again.retries) == (("a", "b"), 7, 1)


def test_what_is_wrong_with_wishes_stands_at_each_field() -> None:
    form = typed(limit="soon", cell_limit="2 y", retries="often", tags="x" * 41, hold="9 d", priority="99")
    assert set(form.wishes_wrong(HOUR)) == {"limit", "cell_limit", "retries", "tags", "hold", "priority"}
    assert not RunForm().wishes_wrong(HOUR)


@pytest.mark.parametrize(
    ("refusal", "where"), [(NoSuchFolder(path="/x"), "cwd"), (RequirementsWrong(problems="line 2: x"), "requirements")]
)
def test_what_is_wrong_with_a_wish_is_said_at_its_field(refusal: Refused, where: str) -> None:
    assert RunForm().refused(refusal).problems == {where: f"{refusal.sentence} {refusal.step}"}


def test_lines_serve_where_the_cell_cannot_be_read() -> None:
    form = typed(**{"n.b.source": "kept:2", "n.b.lines": "a=1\n\nb = two words \nc=x=y"})
    assert form.notebooks[0].parameters() == {"a": 1, "b": "two words", "c": "x=y"}


def test_notebooks_stay_in_their_order_each_with_its_own_values() -> None:
    fields = {"n.b.source": "kept:2", "n.a.source": "kept:1", "n.a.p.x": "1", "n.b.p.x": "2", "n.c.p.x": "no source"}
    form = typed(**fields, **{"n.A b.source": "kept:3", "n.d": "x"})
    assert [(one.id, one.values) for one in form.notebooks] == [("b", {"x": "2"}), ("a", {"x": "1"})]
    assert form.one is None
    assert form.fields == []
