from __future__ import annotations

import os
from pathlib import Path

import pytest

from drybench import settings
from drybench.data_folder import DataFolder
from drybench.errors import SettingsWrong


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataFolder:
    for name in [name for name in os.environ if name.startswith("DRYBENCH_")]:
        monkeypatch.delenv(name)
    return DataFolder(tmp_path)


def wrong(data: DataFolder, text: str) -> str:
    data.settings.write_text(text)
    with pytest.raises(SettingsWrong) as refused:
        settings.load(data)
    return str(refused.value)


def place_of(key: str, found: settings.Settings) -> tuple[str, str]:
    return next((one.value, one.place) for one in settings.where_from(found) if one.key == key)


def test_a_bench_needs_no_file(data: DataFolder) -> None:
    found = settings.load(data)
    assert (found.bench.listen, found.bench.port) == ("127.0.0.1", 0)
    assert found.sizes["default"].memory == 3 << 29
    assert {one.place for one in settings.where_from(found)} == {"default"}


def test_a_file_that_was_named_must_be_there(data: DataFolder) -> None:
    with pytest.raises(SettingsWrong, match=r"elsewhere\.toml"):
        settings.load(data, data.path / "elsewhere.toml")


def test_amounts_are_numbers_to_the_program(data: DataFolder) -> None:
    data.settings.write_text('[runs]\nnotebook_limit = "2 MiB"\ntimeout = "90 min"\n[sizes.big]\nmemory = 1000')
    found = settings.load(data)
    assert (found.runs.notebook_limit, found.runs.timeout, found.sizes["big"].memory) == (2 << 20, 5400, 1000)
    assert "default" in found.sizes
    assert place_of("runs.notebook_limit", found) == ('"2 MiB"', f"{data.settings}, line 2")


@pytest.mark.parametrize(
    ("written", "read", "shown"),
    [
        ("2", (0, 0), "2"),
        ('["8 GiB", "any"]', (8 << 30, 0), '["8 GiB", "any"]'),
        ("[24]", (24 * 10**9,), '["24 GB"]'),
        ("[]", (), "0"),
    ],
)
def test_gpus_of_a_size(data: DataFolder, written: str, read: tuple[int, ...], shown: str) -> None:
    data.settings.write_text(f"[sizes.gpu]\ngpus = {written}")
    found = settings.load(data)
    assert found.sizes["gpu"].gpus == read
    assert place_of("sizes.gpu.gpus", found)[0] == shown


def test_gpus_to_give(data: DataFolder) -> None:
    data.settings.write_text('[engines.local]\ngpus = [0, "GPU-5d6f"]\n[engines.docker]\ngpus = "none"')
    found = settings.load(data).engines
    assert (found.local.gpus, found.docker.gpus) == (("0", "GPU-5d6f"), "none")


def test_command_line_before_environment_before_file(data: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    data.settings.write_text('[bench]\nport = 1\nlisten = "0.0.0.0"\nowner = "ada"\n')
    monkeypatch.setenv("DRYBENCH_BENCH__PORT", "2")
    monkeypatch.setenv("DRYBENCH_BENCH__LISTEN", "10.0.0.1")
    found = settings.load(data, given={"bench": {"port": 3}})
    assert place_of("bench.port", found) == ("3", "command line, --port")
    assert place_of("bench.listen", found) == ('"10.0.0.1"', "environment, DRYBENCH_BENCH__LISTEN")
    assert place_of("bench.owner", found) == ('"ada"', f"{data.settings}, line 4")


def test_the_children_read_the_file_that_up_was_given(data: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    other = data.path / "other.toml"
    other.write_text('[bench]\nowner = "ada"')
    monkeypatch.setenv("DRYBENCH_SETTINGS", str(other))
    assert settings.load(data).owner == "ada"


POOL = "[ready.pool]\nbase = 2\n"
SHARED = '[accounts]\nof = "shared"\nshared_uid = 5000\n'


def test_a_pool_takes_one_number_for_all(data: DataFolder) -> None:
    data.settings.write_text(POOL + SHARED)
    assert settings.load(data).ready.pool == {"base": 2}
    assert f'{data.settings}, line 1: `ready.pool` needs `[accounts] of = "shared"`' in wrong(data, POOL)
    data.settings.write_text(POOL.replace("2", "0"))
    assert settings.load(data).ready.pool == {"base": 0}


@pytest.mark.parametrize("inside", ["/home/{name}/work", "/homes", "/{name}", "/{name}/{name}", "/home/u-{name}"])
def test_a_pool_takes_one_folder_in_which_homes_appear(data: DataFolder, inside: str) -> None:
    said = wrong(data, f'{POOL}{SHARED}[folders]\nhome_inside = "{inside}"')
    assert f"{data.settings}, line 7: `folders.home_inside` " in said


def test_a_pool_names_environments_that_there_are(data: DataFolder) -> None:
    data.settings.write_text(POOL + SHARED)
    settings.load(data).refuse_a_pool_of_strangers(["base", "napari"])
    with pytest.raises(SettingsWrong, match=r"line 2: `ready\.pool\.base` names no environment; there are napari"):
        settings.load(data).refuse_a_pool_of_strangers(["napari"])


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("[ready.pool]\nbase = -1", 2, "`ready.pool.base` should be greater than or equal to 0"),
        ("[bench]\n\nprot = 1", 3, "no key `prot`; did you mean `port`?"),
        ("\n[bnech]\nport = 1", 2, "no key `bnech`; did you mean `bench`?"),
        ("[sizes.big]\n# much\nmemry = 1", 3, "no key `memry`; did you mean `memory`?"),
        ("[places.x]\n", 1, "no key `places`"),
        ('[bench]\nport = "x"', 2, "`bench.port` should be a valid integer"),
        ("[bench]\nport = 99999", 2, "`bench.port` should be less than or equal to 65535"),
        ('[bench]\naddress = "bench.example"', 2, "`bench.address` should be like https://bench.example"),
        ("[sizes.big]\n[sizes.small]\nmemory = '2 GiX'", 3, "`sizes.small.memory` should be an amount such as"),
        ("[sizes.big]\ngpus = 65", 2, "`sizes.big.gpus` should be a number, or a list"),
        ("[sizes.big]\ngpus = ['2 GiX']", 2, "`sizes.big.gpus` should be an amount such as"),
        ("[engines.local]\ngpus = 'all'", 2, '`engines.local.gpus` should be "auto", "none" or a list'),
        ("[runs]\ntimeout = true", 2, "`runs.timeout` should be a time such as"),
        ('[tls]\nkey = "/key.pem"', 1, "needs both `certificate` and `key`"),
        ('[folders]\nruns_link = "a/b"', 2, "should be one name"),
        ('[engines.docker]\nsubnet = "10.77.0.1/16"', 2, "`engines.docker.subnet` should be a network of IPv4"),
        ('[engines.docker]\nmay_not_reach = [\n"db.lab"]', 2, "`engines.docker.may_not_reach` should be a network"),
        ("[hub]\n[tls", 2, "not TOML"),
        ("[hub]\nx = [\n", 2, "not TOML"),
        ("sizes = 3", 1, "`sizes` should be"),
        ('[desktop]\nbackground = "lab.png"', 2, "whole paths"),
        ('[[desktop.links]]\ntitle = "The wiki"\nurl = "file:///etc/passwd"', 3, "desktop.links.0.url"),
        ('[[desktop.links]]\ntitle = "a/b"\nurl = "https://lab.example"', 2, "desktop.links.0.title"),
    ],
)
def test_what_is_wrong_is_refused_with_its_line(data: DataFolder, text: str, line: int, words: str) -> None:
    said = wrong(data, text)
    assert f"{data.settings}, line {line}: " in said
    assert words in said


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("DRYBENCH_BENCH__PORT", "x", "`bench.port` should be a valid integer"),
        ("DRYBENCH_BENCH__PROT", "1", "did you mean `port`?"),
        ("DRYBENCH_BNCH__PORT", "1", "did you mean `bench`?"),
        ("DRYBENCH_HUB", "{", "hub"),
    ],
)
def test_a_wrong_variable_is_refused_by_its_name(
    data: DataFolder, monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(name, value)
    said = wrong(data, "")
    assert words in said
    assert name in said or "environment" in said


def test_a_variable_over_a_value_of_another_shape(data: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    data.settings.write_text("sizes = 3")
    monkeypatch.setenv("DRYBENCH_SIZES__BIG__CORES", "4")
    assert settings.load(data).sizes["big"].cores == 4


def test_what_opens_something_is_not_shown(data: DataFolder) -> None:
    data.settings.write_text(
        '[database]\nurl = "postgresql+psycopg://me:hunter2@h/db"\n[hub.traits.GitHub]\nclient_secret = "hunter2"\n'
        'client_id = "seen"\n[tls]\nkey = "/etc/key.pem"\ncertificate = "/etc/cert.pem"'
    )
    shown = "\n".join(one.value for one in settings.where_from(settings.load(data)))
    assert "hunter2" not in shown
    assert "me:…@h/db" in shown
    assert "seen" in shown
    assert "/etc/key.pem" in shown


def test_every_key_has_a_default_and_a_description() -> None:
    page = settings.reference()
    for words in ("## `[bench]`", "## `[sizes.NAME]`", "## `[engines.local]`", '`"1.5 GiB"`', "DRYBENCH_BENCH__PORT"):
        assert words in page
    assert "None" not in page
