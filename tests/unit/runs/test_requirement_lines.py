"""What a requirements.txt may say, and that each line that it may not is named."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drybench.errors import RequirementsWrong
from drybench.runs.requirement_lines import MOST_BYTES, MOST_LINES, check, lines

SHA = "a" * 64


@pytest.mark.parametrize(
    "line",
    [
        "numpy",
        "scikit-image>=0.24,<1  # for the filters",
        "dask[array,distributed]==2026.1",
        "tifffile; python_version >= '3.10'",
        f"numpy==2.0 --hash=sha256:{SHA}",
        f"numpy==2.0 \\\n    --hash=sha256:{SHA} \\\n    --hash=sha256:{'b' * 64}",
        "# only words",
        "",
        "\ufeffnumpy\r\n\r\npandas\r\n",
        "zope.interface~=6.0",
        "numpy!=2.1.*",
    ],
)
def test_what_is_taken(line: str) -> None:
    check(line)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("--index-url https://evil.example/simple", "options such as --index-url"),
        ("-i https://evil.example/simple", "options such as -i"),
        ("--extra-index-url=https://evil.example", "options such as --extra-index-url"),
        ("-e .", "options such as -e"),
        ("--editable ./mine", "options such as --editable"),
        ("-r others.txt", "options such as -r"),
        ("-c limits.txt", "options such as -c"),
        ("--find-links /srv", "options such as --find-links"),
        ("--trusted-host x", "options such as --trusted-host"),
        ("numpy @ https://evil.example/numpy.whl", "a package from an address"),
        ("numpy[extra]@file:///etc/passwd", "a package from an address"),
        ("https://evil.example/numpy.whl", "an address is not taken"),
        ("git+ssh://git@evil.example/x", "an address is not taken"),
        ("file:///etc/passwd", "an address is not taken"),
        ("/srv/wheels/x.whl", "a file or folder"),
        ("./mine", "a file or folder"),
        ("../mine", "a file or folder"),
        ("~/mine", "a file or folder"),
        ("mine/setup", "a file or folder"),
        ("x-1.0-py3-none-any.whl", "a file or folder"),
        ("numpy ==", "line 1"),
        ("two words", "line 1"),
        ("numpy --hash=md5:abc", "a hash is written as"),
        ("numpy --no-binary :all:", "line 1"),
        ("numpy; sometimes", "line 1"),
        ("nump\x00y", "no text"),
    ],
)
def test_what_is_refused_with_its_line(line: str, why: str) -> None:
    with pytest.raises(RequirementsWrong) as refused:
        check(line)
    assert why in refused.value.sentence
    with pytest.raises(RequirementsWrong, match=r"line 3|character that is no text"):
        check(f"pandas\n# words\n{line}")


def test_a_keeper_may_allow_where_it_comes_from_but_no_nonsense() -> None:
    check("--index-url https://mirror.example\n-e ./mine\nx @ https://a.example/x.whl\nnumpy", from_anywhere=True)
    with pytest.raises(RequirementsWrong, match="line 1"):
        check("two words", from_anywhere=True)


def test_a_password_in_an_address_is_not_repeated() -> None:
    with pytest.raises(RequirementsWrong) as refused:
        check("--index-url https://me:secret@evil.example/simple")
    assert "secret" not in str(refused.value)


def test_it_is_bounded() -> None:
    with pytest.raises(RequirementsWrong, match="64 KiB"):
        check("#" * (MOST_BYTES + 1))
    with pytest.raises(RequirementsWrong, match="500 lines"):
        check("numpy\n" * (MOST_LINES + 1))
    check("numpy\n" * MOST_LINES)
    with pytest.raises(RequirementsWrong, match="and 90 more") as refused:
        check("-e .\n" * 100)
    assert len(refused.value.sentence) < 2000


def test_a_line_is_counted_where_it_begins() -> None:
    assert [(one.number, one.text) for one in lines("\nnumpy \\\n  >=2\n# x\npandas # y")] == [
        (2, "numpy   >=2"),
        (5, "pandas"),
    ]


@given(st.text(max_size=300))
def test_any_text_is_taken_or_refused_with_a_sentence(text: str) -> None:
    with suppress(RequirementsWrong):
        check(text)


@given(st.sampled_from(["-", "./", "/", "~", "x @ ", "http://", "file:"]), st.text("abc/.:-@ =", max_size=30))
def test_nothing_that_says_where_from_slips_through(beginning: str, rest: str) -> None:
    with pytest.raises(RequirementsWrong):
        check(f"{beginning}{rest}")
