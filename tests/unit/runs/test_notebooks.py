from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from drybench import errors
from drybench.runs.notebooks import kernel_of, language_of, read_notebook, safe_name, tagged

LIMIT = 1_000_000


def a_notebook(*cells: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells), **more}


def a_cell(source: Any = "1", **more: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, **more}


def read(notebook: Any) -> dict[str, Any]:
    return read_notebook(json.dumps(notebook).encode(), LIMIT)


def refusal(notebook: Any) -> str:
    with pytest.raises(errors.NotANotebook) as refused:
        read(notebook)
    return refused.value.sentence


class TestWhatIsMended:
    def test_a_cell_gets_what_later_minor_formats_ask_for(self) -> None:
        cell = read(a_notebook(a_cell(), nbformat_minor=0))["cells"][0]
        assert cell["metadata"] == {}
        assert cell["outputs"] == []
        assert cell["execution_count"] is None
        assert len(cell["id"]) == 8

    @pytest.mark.parametrize(("minor", "becomes"), [(0, 5), (4, 5), (5, 5), (6, 6), (None, 5), ("x", 5)])
    def test_the_minor_format(self, minor: Any, becomes: int) -> None:
        assert read(a_notebook(nbformat_minor=minor))["nbformat_minor"] == becomes

    def test_lines_are_joined(self) -> None:
        output = {"output_type": "stream", "name": "stdout", "text": ["a\n", "b"]}
        cell = read(a_notebook(a_cell(["x\n", "y"], outputs=[output])))["cells"][0]
        assert cell["source"] == "x\ny"
        assert cell["outputs"][0]["text"] == "a\nb"

    def test_in_a_bundle_only_text_is_joined(self) -> None:
        data = {"text/html": ["<b>", "</b>"], "application/json": ["a", "b"], "application/vnd.x+json": [1]}
        output = {"output_type": "display_data", "data": dict(data), "metadata": {}}
        read_back = read(a_notebook(a_cell(outputs=[output])))["cells"][0]["outputs"][0]["data"]
        assert read_back == {**data, "text/html": "<b></b>"}

    def test_an_id_stays_unless_it_is_taken_or_none(self) -> None:
        cells = read(a_notebook(a_cell(id="one"), a_cell(id="one"), a_cell(id="no good"), a_cell(id=7)))["cells"]
        ids = [cell["id"] for cell in cells]
        assert ids[0] == "one"
        assert len(set(ids)) == 4
        assert "no good" not in ids

    def test_a_byte_order_mark_is_passed_over(self) -> None:
        assert read_notebook(b"\xef\xbb\xbf" + json.dumps(a_notebook()).encode(), LIMIT)["cells"] == []

    def test_missing_metadata(self) -> None:
        assert read({"nbformat": 4, "cells": []})["metadata"] == {}

    def test_nonsense_where_the_kernel_should_be(self) -> None:
        assert kernel_of(read(a_notebook(metadata={"kernelspec": "python3"}))) is None

    def test_half_a_character_can_be_written_afterwards(self) -> None:
        notebook = read_notebook(
            rb'{"nbformat":4,"cells":[{"cell_type":"raw","source":"a\ud800 \ud83d\ude00"}]}', LIMIT
        )
        assert notebook["cells"][0]["source"].encode().decode() == "a\ufffd \U0001f600"


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        "notebook",
        [
            [],
            "text",
            None,
            {},
            {"nbformat": 4},
            {"nbformat": 5, "cells": []},
            {"nbformat": 4, "cells": {}},
            {"nbformat": 4, "cells": [], "metadata": []},
            {"nbformat": 4, "cells": [1]},
            {"nbformat": 4, "cells": [{}]},
            a_notebook(a_cell(7)),
            a_notebook(a_cell(["x", 7])),
            a_notebook(a_cell(metadata=[])),
            a_notebook(a_cell(metadata={"tags": "parameters"})),
            a_notebook(a_cell(metadata={"tags": [7]})),
            a_notebook(a_cell(outputs={})),
            a_notebook(a_cell(outputs=["x"])),
            a_notebook(a_cell(outputs=[{"output_type": "stream", "text": 7}])),
            a_notebook(a_cell(outputs=[{"output_type": "display_data", "data": []}])),
        ],
    )
    def test_what_is_no_notebook(self, notebook: Any) -> None:
        assert refusal(notebook).startswith("This file is not a notebook: ")

    @pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"%PDF-1.7", b'{"nbformat": 4, "cells": [NaN]}'])
    def test_what_is_no_json(self, data: bytes) -> None:
        with pytest.raises(errors.NotANotebook, match="is not a notebook: it is not"):
            read_notebook(data, LIMIT)

    @pytest.mark.parametrize("data", [b"[" * 100_000, b'{"nbformat":4,"cells":' + b"[" * 150 + b"]" * 150 + b"}"])
    def test_what_is_nested_too_deeply(self, data: bytes) -> None:
        with pytest.raises(errors.NotANotebook, match="nested too deeply"):
            read_notebook(data, LIMIT)

    def test_a_number_of_ten_thousand_digits(self) -> None:
        with pytest.raises(errors.NotANotebook):
            read_notebook(b'{"nbformat":4,"cells":[' + b"1" * 10_000 + b"]}", LIMIT)

    def test_a_notebook_of_format_3_says_how_to_convert_it(self) -> None:
        with pytest.raises(errors.NotebookTooOld) as refused:
            read_notebook(b'{"nbformat": 3, "worksheets": []}', LIMIT, "old.ipynb")
        assert "nbformat 3" in refused.value.sentence
        assert "jupyter nbconvert --to notebook --nbformat 4 old.ipynb" in refused.value.step

    def test_one_too_large_is_refused_before_it_is_read(self) -> None:
        with pytest.raises(errors.TooLarge, match=r"1\.0 MB large; this bench takes up to 1 MB"):
            read_notebook(b"{" * (LIMIT + 1), LIMIT)

    def test_the_sentence_names_the_file(self) -> None:
        with pytest.raises(errors.NotANotebook, match=r"^photo\.ipynb is not a notebook"):
            read_notebook(b"x", LIMIT, "photo.ipynb")

    @given(some.binary(max_size=200) | some.recursive(some.none() | some.text(), some.lists).map(repr).map(str.encode))
    def test_nothing_else_is_ever_raised(self, data: bytes) -> None:
        with pytest.raises(errors.Refused):
            read_notebook(data, LIMIT)


def test_kernel_and_language() -> None:
    notebook = read(a_notebook(metadata={"kernelspec": {"name": "ir", "language": "R"}}))
    assert kernel_of(notebook) == "ir"
    assert language_of(notebook) == "R"
    notebook = read(a_notebook(metadata={"language_info": {"name": "julia"}}))
    assert kernel_of(notebook) is None
    assert language_of(notebook) == "julia"


def test_the_first_cell_with_a_tag() -> None:
    notebook = read(a_notebook(a_cell("a"), a_cell("b", metadata={"tags": ["x", "y"]}), a_cell("c")))
    cell = tagged(notebook, "y")
    assert cell is not None
    assert cell["source"] == "b"
    assert tagged(notebook, "z") is None


class TestNames:
    @pytest.mark.parametrize(
        "name", ["a.ipynb", "Ünï cödé 実験.ipynb", "<script>alert(1)</script>".replace("/", ""), "a & b 'c'", "x" * 200]
    )
    def test_allowed(self, name: str) -> None:
        assert safe_name(f" {name} ") == name

    @pytest.mark.parametrize(
        "name",
        [
            "",
            "  ",
            ".",
            "..",
            "../a",
            "a/b",
            "a\\b",
            "a\0b",
            "a\nb",
            "a\x1b[31m",
            "\u202egnp.exe",
            "x" * 201,
            "実" * 100,
        ],
    )
    def test_refused(self, name: str) -> None:
        with pytest.raises(errors.NameNotAllowed) as refused:
            safe_name(name)
        assert "\n" not in refused.value.sentence
        assert "\x1b" not in refused.value.sentence
        assert len(refused.value.sentence) < 600
