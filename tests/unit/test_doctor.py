"""The doctor names the part that is missing: asked of programs on a PATH that say what the real ones say."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from drybench import findings, own_machine, settings
from drybench.admin import doctor
from drybench.data_folder import DataFolder
from drybench.engines import docker_slots
from drybench.errors import KeeperOnly
from drybench.findings import Finding
from drybench.model import App, Person
from tests.waiting import PATIENCE

GPU = "0, GPU-5d6f, 24564, NVIDIA GeForce RTX 4090"
WORKS = f"""
case "$1" in
  --query*) echo '{GPU}' ;;
  *) echo 'GPU 0: NVIDIA GeForce RTX 4090 (UUID: GPU-5d6f)' ;;
esac"""
DOCKER = """
case "$1" in
  version) echo 20.10.24 ;;
  image) echo drybench/base:dev; echo drybench/base:1234 ;;
  run) echo "$*" > {asked}; echo 'GPU 0: NVIDIA GeForce RTX 4090 (UUID: GPU-5d6f)' ;;
esac"""
Machine = Callable[..., dict[str, Finding]]


class Programs:
    """What lies on the PATH of this test, and nothing else of the machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked = folder / "asked"

    def add(self, name: str, script: str) -> None:
        program = self.folder / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    folder, cards = tmp_path / "bin", tmp_path / "pci" / "0000:01:00.0"
    folder.mkdir()
    cards.mkdir(parents=True)
    (cards / "vendor").write_text("0x10de\n")
    (cards / "class").write_text("0x030000\n")
    (folder / "sleep").symlink_to("/bin/sleep")
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(doctor, "PCI", tmp_path / "pci")
    monkeypatch.setattr(doctor, "CDI", (tmp_path / "cdi",))
    return Programs(folder)


@pytest.fixture
def examined(tmp_path: Path, programs: Programs) -> Machine:
    """All parts by name. `docker` and `nvidia-smi` are scripts; None: the program is not there."""

    def look(
        docker: str | None = DOCKER, smi: str | None = WORKS, hook: bool = True, **said: Any
    ) -> dict[str, Finding]:
        hangs = any("exec sleep" in (script or "") for script in (docker, smi))
        if docker is not None:
            programs.add("docker", docker.replace("{asked}", str(programs.asked)))
        if smi is not None:
            programs.add("nvidia-smi", smi)
        if hook:
            programs.add("nvidia-container-runtime-hook", "exit 0")
        in_force = settings.Settings(**said)
        return {
            one.part: one for one in doctor.examine(DataFolder(tmp_path / "data"), in_force, 2 if hangs else PATIENCE)
        }

    return look


NEEDS = {"sizes": {"gpu": {"gpus": 1}}, "engines": {"docker": {"use": "always"}}}


def test_all_is_well(examined: Machine, programs: Programs) -> None:
    found = examined(**NEEDS)
    assert {one.stands for one in found.values()} == {"ok"}
    assert not any(one.ill for one in found.values())
    assert found["GPU driver"].says == "NVIDIA GeForce RTX 4090 with 24 GiB."
    assert found["GPU in a container"].says == "A container sees 1."
    assert "--gpus=all --entrypoint= drybench/base:dev nvidia-smi -L" in programs.asked.read_text()


def test_the_driver_is_missing(examined: Machine) -> None:
    found = examined(smi=None, **NEEDS)
    assert found["GPU driver"].stands == "missing"
    assert found["GPU driver"].says == "1 NVIDIA card and no driver: there is no program `nvidia-smi`."
    assert found["GPU driver"].ill
    assert found["GPU container toolkit"].stands == "ok"
    assert found["GPU in a container"].stands == "not looked at"


def test_there_is_no_card(examined: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(doctor, "PCI", tmp_path / "nothing")
    found = examined(smi=None, hook=False)
    driver = found["GPU driver"]
    assert (driver.stands, driver.ill) == ("missing", False)
    assert driver.says == "This machine shows no NVIDIA card."
    assert found["GPU container toolkit"].step == "Nothing, as long as there is no card."


@pytest.mark.parametrize(
    ("smi", "words"),
    [
        ("echo 'Failed to initialize NVML: Driver/library version mismatch'; exit 18", "version mismatch"),
        (
            'echo "NVIDIA-SMI has failed because it couldn\'t communicate with the NVIDIA driver."; exit 9',
            "communicate",
        ),
        ("echo 'No devices were found'", "shows no card"),
        ("exec sleep 60", "does not answer"),
    ],
)
def test_a_driver_that_does_not_work(examined: Machine, smi: str, words: str) -> None:
    found = examined(smi=smi, **NEEDS)
    assert found["GPU driver"].stands == "wrong"
    assert words in found["GPU driver"].says
    assert found["GPU driver"].step
    assert found["GPU in a container"].stands == "not looked at"


def test_the_settings_name_a_gpu_that_is_not_there(examined: Machine) -> None:
    found = examined(engines={"local": {"gpus": ["0", "GPU-gone"]}})["GPU driver"]
    assert (found.stands, found.ill) == ("wrong", True)
    assert found.says == "The settings name GPU-gone, which the driver does not show."


def test_the_toolkit_is_missing(examined: Machine) -> None:
    found = examined(hook=False, **NEEDS)
    assert (found["GPU driver"].stands, found["GPU container toolkit"].stands) == ("ok", "missing")
    assert "nvidia-container-toolkit" in found["GPU container toolkit"].step
    assert found["GPU in a container"].stands == "not looked at"


def test_the_toolkit_by_cdi(examined: Machine, tmp_path: Path) -> None:
    (tmp_path / "cdi").mkdir()
    (tmp_path / "cdi" / "other.yaml").write_text("kind: example.com/thing\n")
    (tmp_path / "cdi" / "nvidia.yaml").write_text("kind: nvidia.com/gpu\n")
    found = examined(hook=False)["GPU container toolkit"]
    assert (found.stands, found.says) == ("ok", f"By CDI: {tmp_path}/cdi/nvidia.yaml.")


@pytest.mark.parametrize(
    ("answer", "words", "step"),
    [
        (
            "echo 'could not select device driver \"\" with capabilities: [[gpu]].'",
            "Docker does not know the toolkit",
            "restart docker",
        ),
        ("echo 'Failed to initialize NVML: Unknown Error'", "sees none: Failed to initialize NVML", "nvidia-ctk"),
    ],
)
def test_the_device_does_not_arrive_in_a_container(examined: Machine, answer: str, words: str, step: str) -> None:
    docker = DOCKER.replace("echo 'GPU 0: NVIDIA GeForce RTX 4090 (UUID: GPU-5d6f)'", f"{answer}; exit 125")
    found = examined(docker=docker, **NEEDS)
    assert found["GPU in a container"].stands == "wrong"
    assert words in found["GPU in a container"].says
    assert step in found["GPU in a container"].step
    assert [found[part].stands for part in ("GPU driver", "GPU container toolkit")] == ["ok", "ok"]


@pytest.mark.parametrize(
    ("docker", "stands", "words", "step"),
    [
        (None, "missing", "no program `docker`", "Install Docker"),
        ("echo 'permission denied while trying to connect to the Docker daemon socket'; exit 1", "wrong",
         "you may not use it", "usermod -aG docker"),
        ("echo 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock.'; exit 1", "wrong",
         "not running: Cannot connect", "enable --now docker"),
        ("exec sleep 60", "wrong", "does not answer", "restart docker"),
    ],
)  # fmt: skip
def test_docker_is_not_there_or_not_for_us(
    examined: Machine, docker: str | None, stands: str, words: str, step: str
) -> None:
    found = examined(docker=docker)
    assert found["Docker"].stands == stands
    assert words in found["Docker"].says
    assert step in found["Docker"].step
    assert not found["Docker"].ill  # the settings do without
    assert (found["Images"].stands, found["GPU in a container"].stands) == ("not looked at", "not looked at")


def test_docker_that_the_settings_cannot_do_without(examined: Machine) -> None:
    assert examined(docker=None, engines={"docker": {"use": "always"}})["Docker"].ill


def test_docker_is_asked_where_the_settings_say(examined: Machine) -> None:
    script = 'test "$DOCKER_HOST" = unix:///elsewhere.sock && echo 4.3.1'
    found = examined(docker=script, engines={"docker": {"socket": "unix:///elsewhere.sock"}})
    assert found["Docker"].says == "It answers (version 4.3.1)."


def test_no_image_is_here(examined: Machine) -> None:
    found = examined(docker='case "$1" in version) echo 20 ;; esac')
    assert (found["Images"].stands, found["Images"].step) == ("missing", "drybench images build base")
    assert found["GPU in a container"].says == "There is no image to look with."


def test_a_port_that_another_program_has(examined: Machine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        number = other.getsockname()[1]
        found = examined(bench={"port": number})["Port"]
    assert (found.stands, found.says) == ("wrong", f"{number} is taken by another program.")
    assert examined(bench={"port": number})["Port"].stands == "ok"


@pytest.mark.parametrize(("free", "stands"), [(None, "wrong"), (100 << 20, "wrong"), (5 << 30, "ok"), (50 << 30, "ok")])
def test_disk(free: int | None, stands: str) -> None:
    assert findings.disk("/data", free).stands == stands


@pytest.mark.parametrize(
    ("there", "lacks"),
    [
        (("Xtigervnc", "xfce4-session"), ""),
        (("Xtigervnc", "openbox"), ""),
        (("Xtigervnc",), "no window manager"),
        (("xfwm4",), "no TigerVNC (no program `Xtigervnc`)."),
        ((), "`Xtigervnc`) and no window manager"),
    ],
)
def test_what_a_desktop_on_this_machine_lacks(
    examined: Machine, programs: Programs, monkeypatch: pytest.MonkeyPatch, there: Sequence[str], lacks: str
) -> None:
    monkeypatch.setattr(own_machine, "SYSTEM_PATH", str(programs.folder))
    for name in there:
        programs.add(name, "")
    found = examined()["Desktop"]
    assert (found.stands, found.ill) == ("missing" if lacks else "ok", False)
    assert lacks in found.says
    alone = App("napari", "napari", ("napari",))
    assert own_machine.shows(alone) == ("Xtigervnc" in there)
    assert own_machine.shows(App("desktop", "Desktop")) == (not lacks)
    assert own_machine.shows(App("terminal", "Terminal"))


def test_the_keepers_background(examined: Machine, tmp_path: Path) -> None:
    picture = tmp_path / "lab.png"
    assert "Background" not in examined()
    found = examined(desktop={"background": str(picture)})["Background"]
    assert (found.stands, str(picture) in found.says) == ("wrong", True)
    picture.touch()
    assert examined(desktop={"background": str(picture)})["Background"].stands == "ok"


def test_an_old_python() -> None:
    assert findings.python((3, 9, 2), "Linux").stands == "wrong"


def test_as_text_and_as_json(examined: Machine) -> None:
    found = list(examined(hook=False, **NEEDS).values())
    lines = list(doctor.as_text(found))
    at = next(place for place, line in enumerate(lines) if "GPU container toolkit" in line)
    assert lines[at].startswith("missing")
    assert "see: command -v nvidia-container-runtime-hook" in lines[at + 1]
    assert "do:  Install nvidia-container-toolkit" in lines[at + 2]
    told = json.loads("\n".join(doctor.as_json(found)))
    assert told["well"] is False
    assert {one["part"]: one["stands"] for one in told["findings"]}["GPU container toolkit"] == "missing"


def works(tasks: Path, url: str) -> bool:
    return True


POOL = {"ready": {"pool": {"base": 1}}, "accounts": {"of": "shared", "shared_uid": 5000}}


def test_whether_sessions_can_stand_ready_is_told_to_who_wants_some(
    examined: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Ready sessions" not in examined()
    monkeypatch.setattr(docker_slots, "work", works)
    assert examined(**POOL)["Ready sessions"].stands == "ok"
    never = {"engines": {"docker": {"use": "never"}}}
    assert examined(**POOL, **never)["Ready sessions"].stands == "wrong"
    assert findings.ready_sessions(False, root=False).step == "Only root can: have root start the bench."


def test_the_command(tmp_path: Path, programs: Programs) -> None:
    """On a machine with nothing: no Docker and no GPU is no illness, until the settings ask for one."""
    command = [sys.executable, "-m", "drybench_client", "doctor", "--json", "--data", str(tmp_path / "data")]
    well = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(well.stdout)["well"] is True
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "drybench.toml").write_text("[sizes.gpu]\ngpus = 1\n")
    ill = subprocess.run(command, capture_output=True, text=True, check=False)
    wrong = [one["part"] for one in json.loads(ill.stdout)["findings"] if one["needed"] and one["stands"] == "missing"]
    assert (ill.returncode, wrong) == (1, ["GPU driver"])


def test_it_is_the_keepers_only(tmp_path: Path, programs: Programs) -> None:
    examine = doctor.for_the_keeper(DataFolder(tmp_path), settings.Settings(), lambda: "ada")
    assert examine(Person("1", "ada"))
    with pytest.raises(KeeperOnly):
        examine(Person("2", "bob"))
