"""A task's own Python environment over a shared one: what is installed in it stays in it."""

from __future__ import annotations

import shutil
import sys
import time
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from drybench.engines.local_overlay import make_overlay
from tests.contract.conftest import Local

VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"
SITE = Path("lib") / VERSION / "site-packages"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small environment with pip, a package, one that lies elsewhere (.pth), and scripts."""
    python = tmp_path_factory.mktemp("environments") / "it's shared"
    base = Path(sys.executable).resolve()
    (python / "bin").mkdir(parents=True)
    (python / SITE).mkdir(parents=True)
    (python / "bin" / "python").symlink_to(base)
    (python / "pyvenv.cfg").write_text(f"home = {base.parent}\ninclude-system-site-packages = false\n")
    _copy_pip(python / SITE)
    (python / SITE / "beans.py").write_text("crop = 'beans'\n")
    elsewhere = python.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "peas.py").write_text("crop = 'peas'\n")
    (python / SITE / "elsewhere.pth").write_text(f"{elsewhere}\n")
    _script(python, "pip", "import sys; from pip._internal.cli.main import main; sys.exit(main())")
    _script(python, "whose", "import sys; print(sys.prefix, *sys.argv[1:])")
    (python / "bin" / "tool").write_text("#!/bin/sh\necho a tool\n")
    (python / "bin" / "tool").chmod(0o755)
    return python


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "corn-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("corn.py", "crop = 'corn'\ndef main(): print('popped')\n")
        file.writestr("corn-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: corn\nVersion: 1.0\n")
        file.writestr("corn-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr("corn-1.0.dist-info/entry_points.txt", "[console_scripts]\ncorn = corn:main\n")
        file.writestr("corn-1.0.dist-info/RECORD", "")
    return path


async def _run(local: Local, shared: Path, script: str) -> str:
    handle = await local.start("sh", "-c", script, python=shared)
    sight = await local.ended(handle)
    log = (await local.log(handle)).decode()
    assert sight.exit_code == 0, log
    return log


async def test_a_task_sees_the_shared_environment_through_its_own(local: Local, shared: Path) -> None:
    log = await _run(local, shared, "python -c 'import beans, peas, sys; print(beans.crop, peas.crop, sys.prefix)'")
    beans, peas, prefix = log.split()
    assert (beans, peas) == ("beans", "peas")
    assert Path(prefix).name == "env"
    assert Path(prefix).parent.parent == local.tasks


@pytest.mark.parametrize("pip", ["python -m pip", "pip"])
async def test_what_is_installed_stays_in_the_task(local: Local, shared: Path, wheel: Path, pip: str) -> None:
    before = _everything(shared)
    install = f"{pip} install --no-index --disable-pip-version-check '{wheel}'"
    log = await _run(local, shared, f"{install} && python -c 'import corn; print(corn.crop)' && corn")
    assert log.endswith("corn\npopped\n")
    assert _everything(shared) == before
    with pytest.raises(AssertionError, match="No module named 'corn'"):
        await _run(local, shared, "python -c 'import corn'")


async def test_removing_what_is_shared_does_not_remove_it(local: Local, shared: Path) -> None:
    before = _everything(shared)
    await _run(local, shared, "python -m pip uninstall --yes --disable-pip-version-check pip")
    assert _everything(shared) == before


async def test_scripts_of_the_shared_environment_run_in_the_tasks_own(local: Local, shared: Path) -> None:
    log = await _run(local, shared, "whose 'a b' c; tool")
    own, tool = log.splitlines()
    assert own.startswith(str(local.tasks))
    assert own.endswith("/env a b c")
    assert tool == "a tool"


async def test_jupyter_finds_what_is_shared(local: Local, shared: Path) -> None:
    log = await _run(local, shared, 'echo "$JUPYTER_PATH|$JUPYTER_CONFIG_PATH|$JUPYTERLAB_DIR|$VIRTUAL_ENV"')
    data, configuration, lab, own = log.strip().split("|")
    assert data == f"{shared}/share/jupyter"
    assert configuration == f"{shared}/etc/jupyter"
    assert lab == f"{shared}/share/jupyter/lab"
    assert own.startswith(str(local.tasks))


def test_an_overlay_is_made_at_once_and_once(shared: Path, tmp_path: Path) -> None:
    began = time.process_time()
    make_overlay(tmp_path / "env", shared)
    assert time.process_time() - began < 1
    (tmp_path / "env" / "mark").touch()
    make_overlay(tmp_path / "env", shared)
    assert (tmp_path / "env" / "mark").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["env"]


def test_what_is_no_environment_is_no_overlay(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no Python environment"):
        make_overlay(tmp_path / "env", tmp_path / "nothing")
    assert list(tmp_path.iterdir()) == []


def _copy_pip(site_packages: Path) -> None:
    spec = find_spec("pip")
    assert spec is not None
    assert spec.origin is not None
    found = Path(spec.origin).parent
    shutil.copytree(found, site_packages / "pip")
    for about in found.parent.glob("pip-*.dist-info"):
        shutil.copytree(about, site_packages / about.name)


def _script(python: Path, name: str, code: str) -> None:
    script = python / "bin" / name
    script.write_text(f"#!{python}/bin/python\n{code}\n")
    script.chmod(0o755)


def _everything(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if "__pycache__" not in path.parts}
