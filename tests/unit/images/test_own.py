"""What somebody brings becomes a Dockerfile, and nothing of it becomes a word of a shell."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drybench.errors import BroughtWrong, Refused, RequirementsWrong
from drybench.images import own
from drybench.images.own import Rules

HEAD = "ARG DRYBENCH_PARENT\nFROM ${DRYBENCH_PARENT}\n"


def dockerfile(**files: str | bytes) -> str:
    names = {"apt": "apt.txt", "conda": "environment.yml", "pip": "requirements.txt", "docker": "Dockerfile"}
    given = {names[name]: text if isinstance(text, bytes) else text.encode() for name, text in files.items()}
    return own.context(given)["Dockerfile"].decode()


def problem(**files: str | bytes) -> str:
    with pytest.raises((BroughtWrong, RequirementsWrong)) as refused:
        dockerfile(**files)
    return refused.value.sentence


def test_each_kind_of_file_is_installed_as_root_and_the_person_comes_back() -> None:
    made = dockerfile(apt="ffmpeg  # sound\nlibgl1 g++\n", conda="dependencies: [numpy]", pip="scikit-image>=0.24\n")
    assert made.startswith(HEAD + "USER root\n")
    assert made.endswith("USER person\n")
    assert made.index("apt-get install") < made.index("conda create") < made.index("pip install")
    assert "ffmpeg \\\n        libgl1 \\\n        g++ \\\n" in made
    assert "sound" not in made


def test_only_what_is_installed_goes_along_but_all_goes_with_a_dockerfile() -> None:
    files = {"requirements.txt": b"numpy\n", "data/big.bin": b"0", "postBuild": b"rm -rf /"}
    assert own.context(files).keys() == {"requirements.txt", "Dockerfile"}
    assert own.context({**files, "Dockerfile": b"COPY data /data\n"}).keys() == {*files, "Dockerfile"}


def test_environment_yaml_is_known_by_both_its_names() -> None:
    assert "environment.yml" in own.context({"environment.yaml": b"dependencies: [numpy]"})


def test_with_nothing_to_install_it_says_what_would_be_taken() -> None:
    with pytest.raises(BroughtWrong, match=r"none of Dockerfile, apt\.txt, environment\.yml, requirements\.txt"):
        own.context({"readme.md": b"hello"})


@pytest.mark.parametrize(
    "line",
    [
        "-o=APT::Update::Pre-Invoke::=id",
        "--allow-unauthenticated",
        "$(id)",
        "ffmpeg;id",
        "`id`",
        "ffmpeg&&id",
        "./evil.deb",
        "/tmp/evil.deb",
        "bash-",
        "ffmpeg|sh",
        "Ffmpeg",
        "a" + "\N{ZERO WIDTH SPACE}",
    ],
)
def test_apt_takes_names_of_packages_and_nothing_else(line: str) -> None:
    assert "is no package's name" in problem(apt=line)


@given(st.text(max_size=60))
def test_whatever_apt_txt_says_only_names_of_packages_come_through(text: str) -> None:
    try:
        names = own.apt_packages(text)
    except BroughtWrong:
        return
    allowed = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+-:=~")
    assert all(set(name) <= allowed and name[0].isalnum() for name in names)


@pytest.mark.parametrize("line", ["--index-url https://evil.example", "-e .", "git+https://evil.example/x", "./x.whl"])
def test_requirements_come_from_where_the_keeper_says(line: str) -> None:
    assert "line 1" in problem(pip=line)
    assert (
        "line 1"
        not in own.context({"requirements.txt": line.encode()}, Rules(from_anywhere=True))["Dockerfile"].decode()
    )


def test_conda_takes_packages_channels_and_a_list_for_pip() -> None:
    text = "name: x\nchannels: [conda-forge]\ndependencies:\n- python=3.11\n- numpy>=1.24,<2\n- pip:\n  - a>1\n"
    assert "conda create" in dockerfile(conda=text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a list", "lists no `dependencies`"),
        ("name: x", "lists no `dependencies`"),
        ("dependencies: [3.10]", "what is no text is no package"),
        ("dependencies: ['https://evil.example/x.conda']", "is no package"),
        ("dependencies: ['/tmp/x.conda']", "is no package"),
        ("dependencies: ['-p /opt/python']", "is no package"),
        ("channels: ['https://user:secret@evil.example']\ndependencies: [a]", "is no channel"),
        ("dependencies: [{pip: ['-e .']}]", "options such as -e are not taken"),
        ("dependencies: [{run: [id]}]", "a list `pip` and nothing else"),
        ("dependencies: [a", "line 1: it is no YAML"),
        ("dependencies: !!python/object/apply:os.system ['id']", "it is no YAML"),
        ("? [a, b]\n: 1", "it is no YAML"),
    ],
)
def test_a_wrong_environment_yml_is_refused_in_words(text: str, said: str) -> None:
    assert said in problem(conda=text)


def test_yaml_that_unfolds_without_end_is_refused_at_once() -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "is no package" in problem(conda="\n".join([*levels, "dependencies: *a11"]))


def test_a_dockerfile_without_a_beginning_gets_what_it_is_built_on() -> None:
    assert dockerfile(docker="RUN echo FROM nowhere\n") == HEAD + "RUN echo FROM nowhere\n"


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "RUN id\n",
        "FROM ${DRYBENCH_PARENT}\n",
        "FROM $DRYBENCH_PARENT AS one\nFROM ${DRYBENCH_PARENT}\nCOPY --from=one /a /a\nCOPY --from=0 /b /b\n",
        "RUN echo \\\n\n# FROM evil\nFROM also-evil\n",
    ],
)
def test_dockerfiles_that_are_taken(text: str) -> None:
    assert dockerfile(docker=text).endswith(text)
    assert "ARG DRYBENCH_PARENT" in dockerfile(docker=text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("FROM evil/image\n", "line 1: it begins with"),
        ("from\tevil\n", "line 1: it begins with"),
        ("FROM --platform=linux/amd64 evil\n", "line 1: it begins with"),
        ("FROM ${DRYBENCH_PARENT}\nFROM \\\n  # a comment\n  evil\n", "line 2: it begins with"),
        ("FROM ${OTHER}\n", "line 1: it begins with"),
        ("FROM\n", "line 1: it begins with"),
        ("FROM ${DRYBENCH_PARENT}\nCOPY --from=evil/image /a /a\n", "line 2: it copies out of an image"),
        ("FROM ${DRYBENCH_PARENT}\nRUN --security=insecure id\n", "`RUN --security=insecure` is not taken"),
        ("FROM ${DRYBENCH_PARENT}\nRUN --mount=type=bind,from=evil,target=/x id\n", "is not taken"),
        ("# syntax=evil/frontend\nFROM ${DRYBENCH_PARENT}\n", "directives"),
        ("#escape=`\nFROM ${DRYBENCH_PARENT}\n", "directives"),
        (b"FROM ${DRYBENCH_PARENT}\n\0", "line 2: it has a character that is no text"),
        (b"\xff\xfe", "is no text"),
        ("#" * (64 << 10) + "\n", "longer than 64 KiB"),
    ],
)
def test_dockerfiles_that_are_not_taken(text: str | bytes, said: str) -> None:
    assert said in problem(docker=text)


def test_other_images_are_taken_where_the_keeper_allows_them() -> None:
    text = b"FROM quay.io/jupyter/base-notebook\nCOPY --from=alpine /bin/sh /sh\n"
    assert own.context({"Dockerfile": text}, Rules(any_image=True))["Dockerfile"].endswith(text)


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../x", "a/../b", "a//b", "./a", "a\nb", "a\\b", "x" * 300, "", "drybench-ca.crt"]
)
def test_names_that_lead_elsewhere_are_refused(name: str) -> None:
    with pytest.raises(BroughtWrong, match="no name of a file"):
        own.context({"requirements.txt": b"", name: b""})


def test_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BroughtWrong, match="more than 500 files"):
        own.context({str(n): b"" for n in range(501)})
    monkeypatch.setattr(own, "MOST_BYTES", 1 << 20)
    with pytest.raises(BroughtWrong, match="larger than 1 MiB"):
        own.context({"Dockerfile": b"", "big": b"0" * ((1 << 20) + 1)})


@pytest.mark.parametrize(
    "name",
    [
        "debian",
        "debian:bookworm-slim",
        "quay.io/jupyter/scipy-notebook:2024-01-01",
        "localhost:5000/lab/napari",
        "ghcr.io/a/b@sha256:" + "0" * 64,
    ],
)
def test_names_of_images(name: str) -> None:
    assert own.image_name(f" {name} ") == name


@pytest.mark.parametrize(
    "name",
    ["", "-v", "--help", "Debian", "a b", "a;b", "a:", "a@sha256:0", "http://a/b", "a\n", "../a", "a//b", "a" * 301],
)
def test_what_is_no_name_of_an_image(name: str) -> None:
    if name == "a\n":
        assert own.image_name(name) == "a"
        return
    with pytest.raises(BroughtWrong, match="no image's name"):
        own.image_name(name)


@given(st.dictionaries(st.sampled_from([*own.KNOWN, "x"]), st.binary(max_size=200), max_size=5))
def test_anything_is_a_dockerfile_or_a_refusal(files: dict[str, bytes]) -> None:
    try:
        made, said = own.context(files), ""
    except Refused as refusal:
        made, said = {}, refusal.sentence
    assert made.get("Dockerfile") or (said and said.isprintable())


@pytest.mark.parametrize(
    "text",
    [
        "RUN echo \\\\\nFROM alpine\n",  # to Docker two backslashes do not go on
        "FR\\\nOM alpine\n",
        "FROM ${DRYBENCH_PARENT}\nCOPY --fr\\\n# a word\nom=alpine /a /a\n",
        "COPY --from=alpine /a /a\n",  # without a FROM of its own
        "ONBUILD COPY --from=alpine /a /a\n",
        "ADD http://169.254.169.254/latest/meta-data /a\n",
        "ARG URL=http://169.254.169.254/\nADD ${URL} /a\n",
        "ADD ht\\tp://169.254.169.254/ /a\n",
        'ADD ["http://169.254.169.254/", "/a"]\n',
        "ADD --chown=1:1 http://169.254.169.254/ /a\n",
    ],
)
def test_a_dockerfile_takes_nothing_past_the_rules(text: str) -> None:
    """Nor does Docker itself fetch for it what only this machine reaches."""
    assert "Dockerfile, line" in problem(docker=text)


@pytest.mark.parametrize(
    "text", ["ADD --chown=1:1 data.tar.gz /data/\n", "RUN a && \\\n  # why\n\n  b\n", "ONBUILD RUN a\n"]
)
def test_a_plain_dockerfile_is_taken(text: str) -> None:
    assert dockerfile(docker=text).endswith(text)
