"""Where in the person's own code it happened, as IPython's tracebacks tell it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drybench_runner.frames import last_own_frame, missing_module, named
from drybench_runner.record import CellError, Frame

PANDAS = """\x1b[31m-----------\x1b[39m
\x1b[31mKeyError\x1b[39m                                  Traceback (most recent call last)
\x1b[36mFile \x1b[39m\x1b[32m~/env/lib/python3.11/site-packages/pandas/base.py:3641\x1b[39m, in Index.get_loc(self)
\x1b[32m   3640\x1b[39m \x1b[38;5;28;01mtry\x1b[39;00m:
\x1b[32m-> \x1b[39m\x1b[32m3641\x1b[39m     return self._engine.get_loc(key)
The above exception was the direct cause of the following exception:
Cell In[7], line 2
      1 table = load()
----> 2 means(table)
File ~/project/tools.py:12, in means(table)
     11     # of each
---> 12     return table["x"].mean()
File pandas/_libs/index.pyx:167, in pandas._libs.index.IndexEngine.get_loc()
File ~/env/lib/python3.11/site-packages/pandas/core/frame.py:4107, in DataFrame.__getitem__(self, key)
   4106     return self._getitem_multilevel(key)
-> 4107 indexer = self.columns.get_loc(key)
KeyError: 'x'"""
IN_CELL = "Cell In[2], line 3, in train(data)\n      1 def train(data):\n----> 3     return data / 0\n"
TOP = "Cell In[4], line 1\n----> 1 train(5)\n\n"
SYNTAX = (
    "  \x1b[36mCell\x1b[39m \x1b[32mIn[3]\x1b[39m, line 1\x1b[39m\n    1 +\n       ^\nSyntaxError: invalid syntax\n"
)


def test_a_library_s_frames_are_not_one_s_own() -> None:
    frame = last_own_frame([PANDAS], {7: 5}, 5)
    assert frame == Frame("~/project/tools.py", 12, "means", 'return table["x"].mean()')


def test_a_function_of_an_earlier_cell() -> None:
    assert last_own_frame([TOP, IN_CELL], {2: 1, 4: 3}, 3) == Frame("cell 1", 3, "train", "return data / 0")
    assert last_own_frame([TOP], {}, 3) == Frame("cell 3", 1, "", "train(5)")


def test_a_syntax_error_has_a_place_too() -> None:
    assert last_own_frame([SYNTAX], {3: 3}, 3) == Frame("cell 3", 1, "", "")


@given(st.lists(st.text(st.sampled_from("Cell In[1], line 2\nFile x:/()->'\x1b[m"))))
def test_no_traceback_breaks_it(rows: list[str]) -> None:
    last_own_frame(rows, {}, None)
    named(CellError("NoneType", "None", rows))


@pytest.mark.parametrize(
    ("name", "value", "module"),
    [
        ("ModuleNotFoundError", "No module named 'sklearn'", "sklearn"),
        ("ModuleNotFoundError", "No module named 'sklearn.cluster'; 'sklearn' is not a package", "sklearn"),
        ("ImportError", "No module named yaml", "yaml"),
        ("ImportError", "cannot import name 'x' from 'y'", None),
        ("KeyError", "No module named 'x'", None),
    ],
)
def test_what_is_missing(name: str, value: str, module: str | None) -> None:
    assert missing_module(CellError(name, value)) == module


def test_an_error_without_a_name() -> None:
    short = CellError("MemoryError", "", ["x\nMemoryError: Unable to allocate 8.00 PiB"])
    assert named(short).value == "Unable to allocate 8.00 PiB"
    assert named(CellError("NoneType", "None", ["x\n\x1b[31mValueError\x1b[39m: no"])).value == "no"
    assert named(CellError("NoneType", "None", ["KeyboardInterrupt"])).name == "KeyboardInterrupt"
    assert named(CellError("NoneType", "None", ["what is this"])).name == "NoneType"
