"""What a session in a network of its own is told of addresses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from drybench.addresses import Addresses
from drybench.errors import NoDoorForTasks
from drybench.handing_over import by_the_door

BENCH = Addresses("http://localhost:8000", "127.0.0.1", 8000, 8001, 8002, 8003, "bench")
WITH_DOOR = replace(BENCH, tasks_door="http://10.5.0.1:4321", tasks_subnet="10.5.0.0/16", tasks_port=4321)


def test_hub_and_portal_are_found_at_the_door() -> None:
    env = {
        "JUPYTERHUB_API_URL": "http://127.0.0.1:8001/hub/api",
        "JUPYTERHUB_ACTIVITY_URL": "http://127.0.0.1:8001/hub/api/users/ada/activity",
        "DRYBENCH_URL": "http://127.0.0.1:8002",
    }
    assert by_the_door(env, WITH_DOOR) == {
        "JUPYTERHUB_API_URL": "http://10.5.0.1:4321/hub/api",
        "JUPYTERHUB_ACTIVITY_URL": "http://10.5.0.1:4321/hub/api/users/ada/activity",
        "DRYBENCH_URL": "http://10.5.0.1:4321",
    }


def test_it_listens_for_all() -> None:
    env = {"JUPYTERHUB_SERVICE_URL": "http://127.0.0.1:0/user/ada/one/"}
    assert by_the_door(env, WITH_DOOR) == {"JUPYTERHUB_SERVICE_URL": "http://0.0.0.0:0/user/ada/one/"}


@pytest.mark.parametrize(
    "value",
    ["http://localhost:8000/user/ada/one/", "http://127.0.0.1:80012/hub/api", "http://127.0.0.1:9999", "127.0.0.1", ""],
)
def test_what_is_for_browsers_and_what_is_none_of_ours_stays(value: str) -> None:
    assert by_the_door({"NAME": value}, WITH_DOOR) == {"NAME": value}


def test_without_a_door_it_is_refused_with_what_to_do() -> None:
    with pytest.raises(NoDoorForTasks, match="drybench up"):
        by_the_door({}, BENCH)
