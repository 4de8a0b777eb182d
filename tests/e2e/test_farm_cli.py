"""The farm as its user meets it: `python -m farm run`, three lines to export, and the real `aws` command line."""

from __future__ import annotations

import json
import re
import socket
import urllib.request

import pytest

from tests.e2e.shell import ARN, NAME, Running, awake, eventually, farm, free_port, sleep_well


def services_at(running: Running, addresses: list[str]) -> set[str]:
    """Who answers there; with the farm's own story where nobody does."""
    try:
        return {get(address)["service"] for address in addresses}
    except OSError as error:
        raise AssertionError("\n".join([f"{addresses}: {error}", *running.told[-60:]])) from error


def get(address: str) -> dict[str, str]:
    with urllib.request.urlopen(f"http://{address}:8080/", timeout=60) as response:
        return json.load(response)


def test_it_says_what_is_there_and_three_lines_to_export(running: Running) -> None:
    told = "\n".join(running.told)
    assert "granja.animales.com" in told
    assert re.search(r"conejo +127\.30\.\S+ 127\.30\.\S+ 127\.30\.\S+ 127\.30\.\S+$", told, re.MULTILINE)
    assert re.search(r"gallina +127\.30\.", told)
    assert len(running.exports) == 3
    assert [line.split("=")[0] for line in running.exports] == [
        "export PATH",
        "export AWS_ENDPOINT_URL",
        "export AWS_ACCESS_KEY_ID",
    ]


def test_nothing_is_exposed_that_no_tag_asks_for(running: Running) -> None:
    assert running.dig() == []


@pytest.mark.slow
def test_tag_rotate_stop_untag(running: Running) -> None:
    """The main job, by hand: the name follows the tasks, each address answers, and the tag's end is the name's."""
    running.aws("ecs", "tag-resource", "--resource-arn", ARN, "--tags", f"key=expose:dns,value={NAME}")
    eventually(lambda: len(running.dig()) == 4)
    first = running.dig()
    assert first == running.addresses()
    answers = [get(address) for address in first]
    assert {answer["service"] for answer in answers} == {"conejo"}
    assert len({answer["task"] for answer in answers}) == 4

    service = ("--cluster", "granja", "--service", "conejo")
    running.aws("ecs", "update-service", *service, "--force-new-deployment")
    eventually(lambda: len(running.dig()) == 4 and not set(first) & set(running.dig()))

    running.aws("ecs", "update-service", *service, "--desired-count", "6")
    eventually(lambda: len(running.dig()) == 6)

    address, task = next((one, get(one)["task"]) for one in running.dig())
    running.aws("ecs", "stop-task", "--cluster", "granja", "--task", task)
    eventually(lambda: address not in running.dig())
    eventually(lambda: len(running.dig()) == 6)
    assert services_at(running, running.dig()) == {"conejo"}

    running.aws("ecs", "untag-resource", "--resource-arn", ARN, "--tag-keys", "expose:dns")
    eventually(lambda: running.dig() == [])


def of_the_beginning(running: Running) -> list[str]:
    """The public addresses that both services had when the farm was ready."""
    lines = [line for line in running.told if re.match(r"  (conejo|gallina) ", line)]
    return re.findall(r"127\.30\.\d+\.\d+", "\n".join(lines))


def test_two_farms_on_one_machine_share_no_address(running: Running) -> None:
    with awake("--pace", "fast") as other:
        mine, theirs = of_the_beginning(running), of_the_beginning(other)
        assert len(mine) == len(theirs) == 8
        assert set(mine).isdisjoint(theirs)
        assert get(theirs[-1])["task"] != get(mine[-1])["task"]  # both gallina's, which nothing rotates


def test_a_name_in_no_zone_is_an_error_and_not_an_empty_answer(running: Running) -> None:
    done = farm("dig", "example.com", "--port", str(running.dns_port))
    assert done.returncode == 2
    assert "no zone" in done.stderr


def test_without_a_farm_dig_says_so() -> None:
    done = farm("dig", NAME, "--port", str(free_port()))
    assert done.returncode == 2
    assert "is the farm running" in done.stderr


@pytest.mark.parametrize("option", ["--port", "--dns-port"])
def test_a_port_in_use_is_an_error_that_names_the_option(option: str) -> None:
    with socket.socket() as taken, socket.socket(type=socket.SOCK_DGRAM) as also:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        also.bind(("127.0.0.1", port))
        done = farm("run", "--port", str(free_port()), "--dns-port", str(free_port()), option, str(port))
    assert done.returncode == 2
    assert option in done.stderr
    assert str(port) in done.stderr
    assert "Traceback" not in done.stderr


def test_a_pace_that_is_none_is_an_error_that_lists_them() -> None:
    done = farm("run", "--pace", "warp")
    assert done.returncode == 2
    assert "real, demo, fast, instant" in done.stderr


def test_ctrl_c_ends_a_busy_farm_cleanly() -> None:
    with awake("--pace", "fast") as running:
        running.aws("ecs", "tag-resource", "--resource-arn", ARN, "--tags", f"key=expose:dns,value={NAME}")
        service = ("--cluster", "granja", "--service", "conejo")
        running.aws("ecs", "update-service", *service, "--force-new-deployment")
        assert sleep_well(running) == 0
    told = "\n".join(running.told)
    assert "Traceback" not in told
    assert told.endswith("The farm sleeps.")


def test_ctrl_c_ends_an_empty_farm_cleanly() -> None:
    with awake("--empty") as running:
        assert running.aws("ecs", "list-services", "--cluster", "granja")["serviceArns"] == []
        assert sleep_well(running) == 0
    told = "\n".join(running.told)
    assert "Traceback" not in told
    assert told.endswith("The farm sleeps.")
