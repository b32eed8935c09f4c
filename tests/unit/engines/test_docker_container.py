from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drybench.engines import docker_container
from drybench.engines.docker_container import Place
from drybench.errors import MountNotAllowed, NotAsRoot
from drybench.model import RUN, SESSION, Account, Mount, Task

ADA = Account(20_001, 20_002, groups=(20_100,))
TASK = Task("t1", "ada", RUN, ("python", "-m", "work"), image="lab/napari:1", memory=1 << 30, cores=1.5)
PLACE = Place(bench_id="b1", folder=Path("/data/tasks/t1"), account=ADA, home="/home/ada")


def test_it_is_safe_by_default() -> None:
    made = docker_container.body(TASK, PLACE)
    host = made["HostConfig"]
    assert made["User"] == "20001:20002"
    assert (host["CapDrop"], host["SecurityOpt"], host["GroupAdd"]) == (["ALL"], ["no-new-privileges"], ["20100"])
    assert (host["Memory"], host["MemorySwap"], host["NanoCpus"]) == (1 << 30, 1 << 30, 1_500_000_000)
    assert "Privileged" not in host
    assert host["DeviceRequests"] == []


def test_it_can_be_found_by_its_bench_and_its_task() -> None:
    labels = docker_container.body(TASK, PLACE)["Labels"]
    assert labels == {"org.drybench.bench": "b1", "org.drybench.task": "t1", "org.drybench.kind": "run"}


def test_a_session_has_a_weight_and_no_limit_of_cores() -> None:
    limits = docker_container.limits(replace(TASK, kind=SESSION, cores=0.001))
    assert (limits["NanoCpus"], limits["CpuShares"]) == (0, 2)


def test_the_images_own_entrypoint_is_kept_where_it_is_wanted() -> None:
    kept = docker_container.body(replace(TASK, entrypoint=True), PLACE)
    assert "Entrypoint" not in kept
    assert kept["Cmd"][:2] == ["/bin/sh", "-c"]
    assert kept["Cmd"][3:] == ["drybench", *TASK.command]
    left_out = docker_container.body(TASK, PLACE)
    assert (left_out["Entrypoint"], left_out["Cmd"]) == (kept["Cmd"][:4], list(TASK.command))


def test_what_it_sees_of_the_host() -> None:
    task = replace(TASK, mounts=(Mount(Path("/lab/data"), Path("/data"), read_only=True),))
    mounts = docker_container.body(task, replace(PLACE, runner=Path("/data/runner")))["HostConfig"]["Mounts"]
    assert [(mount["Source"], mount["Target"], mount["ReadOnly"]) for mount in mounts] == [
        ("/lab/data", "/data", True),
        ("/data/tasks/t1/own", "/drybench/task", False),
        ("/data/tasks/t1/passwd", "/etc/passwd", True),
        ("/data/tasks/t1/group", "/etc/group", True),
        ("/data/runner", "/drybench/runner", True),
    ]


def test_no_task_is_root() -> None:
    assert docker_container.account_of(TASK, ADA) == ADA
    with pytest.raises(NotAsRoot):
        docker_container.account_of(TASK, Account(0, 0))


@pytest.mark.parametrize("source", ["/", "/var", "/var/run/docker.sock", "/srv/engine"])
def test_who_would_see_a_socket_of_docker_is_refused(source: str) -> None:
    with pytest.raises(MountNotAllowed):
        docker_container.check_mounts([Mount(Path(source), Path("/outside"))], ["/srv/engine/docker.sock"])
    docker_container.check_mounts([Mount(Path("/var/lib"), Path("/outside"))], ["/srv/engine/docker.sock"])


@given(st.text())
def test_any_name_is_one_line_of_passwd(name: str) -> None:
    lines = docker_container.passwd(replace(TASK, person=name), PLACE).splitlines()
    assert [line.split(":")[2] for line in lines] == ["0", "20001", "65534"]
    assert all(len(line.split(":")) == 7 for line in lines)
    assert lines[1].split(":")[0] not in docker_container.RESERVED


@given(st.text())
def test_a_home_cannot_break_a_line(home: str) -> None:
    lines = docker_container.passwd(TASK, replace(PLACE, home=home)).split("\n")
    assert [len(line.split(":")) for line in lines] == [7, 7, 7, 1]


def test_groups_have_names() -> None:
    lines = docker_container.group(TASK, replace(PLACE, account=Account(1, 2, groups=(2, 3)))).splitlines()
    assert lines == ["root:x:0:", "ada:x:2:ada", "group3:x:3:ada", "nogroup:x:65534:"]


@given(st.text(st.characters(exclude_characters="\x00\r", exclude_categories=["Cs"])))
def test_any_value_arrives_by_the_file(tmp_path_factory: pytest.TempPathFactory, value: str) -> None:
    file = tmp_path_factory.mktemp("own") / "env"
    file.write_text(docker_container.env_file({"TOKEN": value, "not-a-name": "x", "A;id": "x"}), newline="")
    said = subprocess.run(["sh", "-c", f'. {file}; printf %s "$TOKEN"'], capture_output=True, check=True, env={})
    assert said.stdout.decode() == value
    assert "x" not in file.read_text().removeprefix(f"TOKEN={value}") or "x" in value


def test_gpus_by_number_are_not_named_to_cuda() -> None:
    variables = docker_container.body(replace(TASK, gpus=("1",)), PLACE)["Env"]
    assert "NVIDIA_VISIBLE_DEVICES=1" in variables
    assert not [each for each in variables if each.startswith("CUDA_VISIBLE_DEVICES")]


def test_it_has_the_hosts_time_zone_unless_its_environment_or_its_image_says_another() -> None:
    place = replace(PLACE, zone="Europe/Berlin")
    assert "TZ=Europe/Berlin" in docker_container.body(TASK, place)["Env"]
    own = docker_container.body(replace(TASK, env={"TZ": "Asia/Tokyo"}), place)["Env"]
    assert [one for one in own if one.startswith("TZ=")] == ["TZ=Asia/Tokyo"]
    assert not [one for one in docker_container.body(TASK, PLACE)["Env"] if one.startswith("TZ=")]
    assert docker_container.has_a_zone({"Config": {"Env": ["PATH=/bin", "TZ=Asia/Tokyo"]}})
    assert not docker_container.has_a_zone({"Config": {"Env": ["PATH=/bin", "TZ="]}})
    assert not docker_container.has_a_zone({})


STACKS = {"Config": {"Env": ["PATH=/opt/conda/bin", "NB_USER=jovyan", "NB_UID=1000", "NB_GID=100"]}}


def test_an_image_of_docker_stacks_finds_its_own_account_and_is_told_for_whom_it_is() -> None:
    place = replace(PLACE, stacks=docker_container.of_stacks(STACKS))
    lines = docker_container.passwd(TASK, place).splitlines()
    assert lines[1:3] == ["ada:x:20001:20002:ada:/home/ada:/bin/sh", "jovyan:x:1000:100:jovyan:/home/jovyan:/bin/bash"]
    assert {"NB_USER=ada", "NB_UID=20001", "NB_GID=20002"} <= set(docker_container.body(TASK, place)["Env"])
    assert "jovyan" not in docker_container.passwd(TASK, PLACE)
    assert not [one for one in docker_container.body(TASK, PLACE)["Env"] if one.startswith("NB_")]


@pytest.mark.parametrize(
    "said",
    [
        {"NB_USER": "ada"},
        {"NB_USER": "root"},
        {"NB_USER": "x", "NB_UID": "0"},
        {"NB_USER": "x:0:0", "NB_UID": "1"},
        {"NB_USER": "x", "NB_UID": "1\nroot:x:0"},
    ],
)
def test_no_image_puts_what_it_likes_among_the_accounts(said: dict[str, str]) -> None:
    told = docker_container.of_stacks({"Config": {"Env": [f"{name}={value}" for name, value in said.items()]}})
    assert docker_container.passwd(TASK, replace(PLACE, stacks=told)) == docker_container.passwd(TASK, PLACE)
