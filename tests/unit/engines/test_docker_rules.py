"""The rules as data. What they do is tried from inside containers in tests/integration/test_docker_network.py."""

from __future__ import annotations

from drybench.engines import docker_rules
from drybench.engines.docker_rules import Network, Reach

NETWORK = Network("drybench-bench", "db-bench", "10.5.0.1", "10.5.0.0/16")
TAKEN, DROPPED = "-j RETURN", "-j DROP"


def rules(**reach: object) -> list[str]:
    said = docker_rules.rules(NETWORK, Reach(**reach))  # type: ignore[arg-type]
    assert all(line.startswith("-A DRYBENCH-db-bench ") for line in said)
    return [line.removeprefix("-A DRYBENCH-db-bench ") for line in said]


def test_answers_come_first_and_nothing_else_is_let_in_but_the_door_and_names() -> None:
    said = rules(door=4321, nameservers=("10.0.0.53",))
    assert [rule for rule in said if rule.endswith(TAKEN)] == [
        "-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN",
        "-d 10.5.0.1/32 -p tcp -m tcp --dport 4321 -j RETURN",
        "-d 10.0.0.53/32 -p udp -m udp --dport 53 -j RETURN",
        "-d 10.0.0.53/32 -p tcp -m tcp --dport 53 -j RETURN",
    ]


def test_what_is_let_in_stands_before_what_is_not() -> None:
    said = rules(door=4321, nameservers=("169.254.169.253",), may_not_reach=("10.5.0.1",))
    kinds = [rule.rpartition(" ")[2] for rule in said]
    assert kinds == sorted(kinds, key=["RETURN", "DROP"].index)


def test_this_machine_one_another_and_the_clouds_metadata_are_never_reached() -> None:
    for rule in ("-m addrtype --dst-type LOCAL", "-d 10.5.0.0/16", "-d 169.254.0.0/16"):
        assert f"{rule} {DROPPED}" in rules()


def test_without_a_door_there_is_none() -> None:
    assert not [rule for rule in rules() if "--dport" in rule]


def test_what_the_keeper_lists() -> None:
    said = rules(may_not_reach=("192.168.7.9", "10.1.0.0/16"))
    assert said[-2:] == ["-d 192.168.7.9/32 -j DROP", "-d 10.1.0.0/16 -j DROP"]


def test_a_chain_has_a_name_that_iptables_takes() -> None:
    long = Network("drybench-0123456789abcdef", "db-0123456789ab", "10.5.0.1", "10.5.0.0/16")
    assert len(docker_rules.chain(long)) <= 28


def test_rules_are_set_in_one_step() -> None:
    for lines in (docker_rules.set_again(NETWORK, Reach()), docker_rules.set_first(NETWORK, Reach())):
        assert (lines[0], lines[-1]) == ("*mangle", "COMMIT")
        assert lines[1] == ":DRYBENCH-db-bench - [0:0]"  # empties it
        assert lines[-2] == "-I PREROUTING -i db-bench -j DRYBENCH-db-bench"


def test_nameservers_that_a_container_asks_by_itself() -> None:
    text = (
        "# of the institute\nnameserver 10.0.0.53\nnameserver 127.0.0.53\nnameserver fd00::53\nsearch lab\nnameserver\n"
    )
    assert docker_rules.nameservers(text) == ("10.0.0.53",)


def test_words_that_are_no_address_are_no_nameserver() -> None:
    assert docker_rules.nameservers("nameserver nonsense\n") == ()
