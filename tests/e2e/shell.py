"""A farm as its user runs it, in a process of its own, and the shell beside it in which the three lines were pasted."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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
            timeout=300,
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
        timeout=300,
    )


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
        return running.process.wait(timeout=120)
    except subprocess.TimeoutExpired:
        os.killpg(running.process.pid, signal.SIGKILL)
        raise
    finally:
        running.listener.join(timeout=60)


def eventually(reached: Callable[[], bool], seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.2)
