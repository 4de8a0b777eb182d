"""The farm as its user meets it: `python -m farm run`, three lines to export, and the real `aws` command line."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NAME = "conejo.granja.animales.com"
ARN = "arn:aws:ecs:eu-west-1:123456789012:service/granja/conejo"
CLEAN = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}


@dataclass
class Running:
    process: subprocess.Popen[str]
    told: list[str]
    """What it has printed so far."""
    dns_port: int
    listener: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.listener = threading.Thread(target=self._listen, daemon=True)

    def _listen(self) -> None:
        for line in self.process.stdout or ():
            self.told.append(line.rstrip())

    @property
    def exports(self) -> list[str]:
        return [line for line in self.told if line.startswith("export ")]

    @property
    def environment(self) -> dict[str, str]:
        """That of a shell in which the three lines were pasted."""
        script = "\n".join(
            [
                *self.exports,
                f"{shlex.quote(sys.executable)} -c 'import json, os; print(json.dumps(dict(os.environ)))'",
            ]
        )
        done = subprocess.run(["bash", "-c", script], env=CLEAN, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)

    def aws(self, *arguments: str) -> Any:
        done = subprocess.run(
            ["aws", *arguments, "--output", "json"],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout or "null")

    def dig(self, name: str = NAME, kind: str = "A") -> list[str]:
        """What `python -m farm dig` prints. A query that got no answer is not an empty answer."""
        done = farm("dig", name, kind, "--port", str(self.dns_port))
        assert done.returncode == 0, done.stderr
        return sorted(done.stdout.split())

    def addresses(self) -> list[str]:
        """Of the service's running tasks, as EC2 tells them."""
        arns = self.aws("ecs", "list-tasks", "--cluster", "granja", "--service-name", "conejo")["taskArns"]
        tasks = self.aws("ecs", "describe-tasks", "--cluster", "granja", "--tasks", *arns)["tasks"]
        interfaces = [
            detail["value"]
            for task in tasks
            if task["lastStatus"] == "RUNNING"
            for attachment in task["attachments"]
            for detail in attachment["details"]
            if detail["name"] == "networkInterfaceId"
        ]
        found = self.aws("ec2", "describe-network-interfaces", "--network-interface-ids", *interfaces)
        return sorted(one["Association"]["PublicIp"] for one in found["NetworkInterfaces"])


def farm(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "farm", *arguments],
        cwd=ROOT,
        env=CLEAN,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def services_at(running: Running, addresses: list[str]) -> set[str]:
    """Who answers there; with the farm's own story where nobody does."""
    try:
        return {get(address)["service"] for address in addresses}
    except OSError as error:
        raise AssertionError("\n".join([f"{addresses}: {error}", *running.told[-60:]])) from error


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def awake(*arguments: str) -> Iterator[Running]:
    """A farm that is ready, and that is gone afterwards, whatever happens."""
    dns_port = free_port()
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "farm",
            "run",
            "--port",
            str(free_port()),
            "--dns-port",
            str(dns_port),
            *arguments,
        ],
        cwd=ROOT,
        env=CLEAN,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    with process:
        running = Running(process, [], dns_port)
        running.listener.start()
        try:
            while "Ctrl-C ends it. What happens:" not in running.told:
                assert running.listener.is_alive(), "\n".join(running.told)
                time.sleep(0.05)
            yield running
        finally:
            sleep_well(running)


def sleep_well(running: Running) -> int:
    """End it as Ctrl-C does, which all of its processes hear; by force if it does not. Its exit status."""
    if running.process.poll() is None:
        os.killpg(running.process.pid, signal.SIGINT)
    try:
        return running.process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        os.killpg(running.process.pid, signal.SIGKILL)
        raise
    finally:
        running.listener.join(timeout=5)


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with awake("--pace", "fast") as running:
        yield running


def eventually(reached: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.2)


def get(address: str) -> dict[str, str]:
    with urllib.request.urlopen(f"http://{address}:8080/", timeout=5) as response:
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
