"""The chapters about public addresses: a list of them that follows its tasks, an audit of what else they let in, and a
record of another team that leads to where nobody is any more.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from farm import seed
from farm.demo.chart import LEAD
from farm.demo.lists import ZONE
from farm.demo.reading import Reading
from farm.demo.scene import ABEJA, FEW, IP, MULA, Scene
from farm.demo.world import in_order

_CLOCK = json.loads((Path(__file__).parents[2] / "events" / "clock.json").read_text())
_GUARDED = f"{seed.PORT} guard=enforce"
_RECORD = f"miel.{ZONE}"
_AUDIT = "Public Address Audit"


def listed(scene: Scene) -> None:
    """Tag a service; its tasks' public addresses are a list that anybody may read."""
    scene.stage.say(f"Nothing stands before {ABEJA}'s tasks but a security group, which opens {seed.PORT}.")
    began = time.time()
    _tag(scene, ABEJA, str(seed.PORT))
    _wait_listed(scene, ABEJA)
    took = time.time() - began
    scene.stage.type(
        f"aws ssm get-parameter --name {scene.lists.name(ABEJA)}",
        "--query Parameter.Value --output text | jq -c '.[] | [.ipv4, .ports]'",
    )
    for entry in scene.lists.entries(ABEJA):
        scene.stage.show(json.dumps([entry["ipv4"], entry["ports"]], separators=(",", ":")))
    there = len(scene.lists.addresses(ABEJA) & scene.world.tasks(ABEJA))
    scene.expect("the list is its tasks", f"{there} of {FEW}", holds=there == FEW)
    pages = [scene.world.get(address) for address in in_order(scene.lists.addresses(ABEJA))]
    right = sum(page["service"] == ABEJA for page in pages)
    scene.expect("each of them answers there", f"{right} of {len(pages)}", holds=right == FEW)
    scene.took("list", took, "from the tag until all tasks were in it")


def audited(scene: Scene) -> None:
    """What nobody declared is found; with the guard, who is open there is not published until it is closed."""
    scene.stage.say(f"{MULA} is the same, but its security group opens port {seed.SSH} as well.")
    _tag(scene, MULA, str(seed.PORT))
    _wait_listed(scene, MULA)
    _audit(scene)
    scene.stage.note("Not to wait for its five minutes, the audit was invoked as its schedule does.")
    status, _ = _expose(scene, "findings")
    scene.expect("the command's status says so", str(status), holds=status == 1)
    found = _undeclared(scene, MULA)
    scene.expect(f"{MULA}: one port too many", found, holds=found == f"critical: tcp {seed.SSH}")
    found = _undeclared(scene, ABEJA)
    scene.expect(f"{ABEJA}: no port too many", found, holds=found == "none")
    _guard(scene)
    _close(scene)


def left(scene: Scene) -> None:
    """A record that nobody of ours made leads to an address that was ours."""
    address, task = _one_of(scene)
    planted_at = datetime.now(UTC)
    scene.stage.say(f"Another team keeps {ZONE}, and writes a task's address there by hand.")
    scene.stage.type("aws route53 change-resource-record-sets ...", f"{_RECORD} A {address}")
    scene.lists.plant(_RECORD, address)
    _replace(scene, task)
    scene.world.lambdas.invoke("sweep", _CLOCK)
    scene.wait("the record is found", lambda: _stale(scene), lambda: "nothing was said")
    found = _stale(scene)[0]
    scene.stage.show(str(found["message"]), "yellow")
    scene.expect("a stale record is found", str(found["grade"]), holds=found["addresses"] == [address])
    answer = scene.world.ask(_RECORD)
    scene.stage.type(f"dig +short {_RECORD}")
    scene.stage.show(str(answer))
    alone = answer is not None and answer.addresses == {address}
    scene.expect("told, and never touched", "as it was" if alone else str(answer), holds=alone)
    scene.stage.say("And if there is something in a log: whose was the address then?")
    status, said = _expose(scene, "whois", address, "--at", f"{planted_at:%Y-%m-%dT%H:%M:%SZ}")
    known = status == 0 and f"{seed.CLUSTER}/{ABEJA}'s: task {task}" in said
    scene.expect(f"it was {ABEJA}'s", "it knows the task" if known else said, holds=known)


def _guard(scene: Scene) -> None:
    scene.stage.say("With guard=enforce it is not published, as long as that is so.")
    _tag(scene, MULA, _GUARDED)
    scene.wait(
        f"{MULA} is not listed any more",
        lambda: scene.said("Exposure Blocked", MULA) and not scene.lists.entries(MULA),
        lambda: f"{len(scene.lists.entries(MULA))} of its tasks are",
    )
    scene.stage.show(str(scene.said("Exposure Blocked", MULA)[0]["message"]), "yellow")
    others, kept = len(scene.lists.entries(MULA)), len(scene.lists.entries(ABEJA))
    scene.expect(f"{MULA} is taken from its list", f"{others} of {FEW} left", holds=not others)
    scene.expect(f"{ABEJA} stays in its own", f"{kept} of {FEW}", holds=kept == FEW)


def _close(scene: Scene) -> None:
    """The owner does as the finding says."""
    scene.stage.type(
        f"aws ec2 revoke-security-group-ingress --group-id {_group(scene)} ...", f"--port {seed.SSH}"
    )
    scene.farm.ec2.revoke_security_group_ingress(
        GroupId=_group(scene), IpPermissions=[seed.world_to(seed.SSH)]
    )
    _audit(scene)
    _wait_listed(scene, MULA)
    closed = [each["subject"] for each in _told(scene, MULA, "closed") if each["grade"] == "critical"]
    scene.expect("port closed, finding closed", ", ".join(closed) or "none", holds=len(closed) == 1)
    again = len(scene.lists.addresses(MULA) & scene.world.tasks(MULA))
    scene.expect(f"{MULA} is back", f"{again} of {FEW}", holds=again == FEW)


def _replace(scene: Scene, task: str) -> None:
    """Stop a task, while somebody reads the list; ECS starts another."""
    before = scene.lists.addresses(ABEJA)
    scene.stage.type(f"aws ecs stop-task --cluster {seed.CLUSTER} --task {task}")
    reading = Reading(lambda: scene.lists.addresses(ABEJA), lambda: scene.seen(ABEJA).lives)
    with reading, scene.film_of(reading.window):
        time.sleep(LEAD)
        scene.farm.stop_task(task)
        scene.wait("the task has STOPPED", lambda: _has_stopped(scene, task), lambda: "it runs on")
        _wait_listed(scene, ABEJA)
    seen, after = reading.window(), scene.lists.addresses(ABEJA)
    changed = len(after - before)
    scene.expect("one address goes, another comes", f"{changed} of {FEW}", holds=changed == 1)
    read = len(seen.samples)
    for what, count in (("empty", seen.empty), ("a stopped task", seen.wrong)):
        scene.expect(f"{ABEJA} never {what}", f"{count} of {read} readings", holds=read > 0 and not count)
    scene.took("new task", seen.to_publish(), "from RUNNING until it was in the list, at most")
    scene.took("old task", seen.to_withdraw(), "from being told to stop until it was not, at most")


def _tag(scene: Scene, service: str, value: str) -> None:
    scene.stage.type(
        "aws ecs tag-resource",
        f"--resource-arn {scene.farm.arn(service)}",
        f'--tags "key={IP},value={value}"' if " " in value else f"--tags key={IP},value={value}",
    )
    scene.farm.tag(service, {IP: value})


def _wait_listed(scene: Scene, service: str) -> None:
    def right() -> bool:
        found = scene.lists.addresses(service)
        return len(found) == FEW and found == scene.world.tasks(service)

    scene.wait(
        f"{service}'s list has its {FEW} tasks", right, lambda: scene.lists.entries(service) or "nothing"
    )


def _audit(scene: Scene) -> None:
    scene.world.lambdas.invoke("audit", _CLOCK)


def _expose(scene: Scene, *arguments: str) -> tuple[int, str]:
    """Run the command, show what it prints. Its exit status, and what it says, on one line."""
    scene.stage.type(f"expose {' '.join(arguments)}")
    done = scene.lists.expose(*arguments)
    for line in (done.stdout + done.stderr).splitlines():
        scene.stage.show(line)
    return done.returncode, " ".join(done.stdout.split())


def _told(scene: Scene, service: str, state: str = "open") -> list[dict[str, Any]]:
    """What has been found of a service since the scene began, each once, though its schedule should have come between."""
    found = {each["id"]: each for each in scene.said(_AUDIT, service) if each["state"] == state}
    return list(found.values())


def _undeclared(scene: Scene, service: str) -> str:
    """What of a service is open that its tag does not name."""
    found = [each for each in _told(scene, service) if not each["declared"]]
    said = (f"{each['grade']}: {each['protocol']} {each['ports'][0]}" for each in found)
    return ", ".join(sorted(said)) or "none"


def _stale(scene: Scene) -> list[dict[str, Any]]:
    return [each for each in _told(scene, ABEJA) if each["kind"] == "stale-record"]


def _one_of(scene: Scene) -> tuple[str, str]:
    """An address in the list, and whose it is."""
    entry = scene.lists.entries(ABEJA)[0]
    return str(entry["ipv4"]), str(entry["task"])


def _group(scene: Scene) -> str:
    """The security group of the one that is too open."""
    network = scene.farm.service(MULA)["networkConfiguration"]
    return network["awsvpcConfiguration"]["securityGroups"][0]


def _has_stopped(scene: Scene, task: str) -> bool:
    now = time.time()
    return any(life.task == task and life.stopped_at < now for life in scene.seen(ABEJA).lives)
