"""The last chapters: the tag goes, and with it all that it made; the stack goes, and with it all that is left."""

from __future__ import annotations

import time

from farm.demo.balanced import NOT_FOUND, answers, refused
from farm.demo.balancing import LAGUNA
from farm.demo.scene import (
    CONEJO,
    COUNT,
    DNS,
    FARMED,
    FEW,
    GALLINA,
    IP,
    LB,
    LISTED,
    PATO,
    SERVICES,
    Scene,
    name_of,
)

_NOTHING = "NXDOMAIN, none"


def untagged(scene: Scene) -> None:
    """Remove the tags of conejo; in haste all tags, so that the stack has nothing left to withdraw."""
    scene.stage.say("Without its tags a service is not reachable. Its tasks do not notice.")
    untagged_at = time.time()
    going = (*FARMED, *LISTED) if scene.haste else (CONEJO,)
    named = [service for service in going if service in SERVICES]
    for service in going:
        keys = (DNS, LB) if service in named else (IP,) if service in LISTED else (LB,)
        scene.stage.type(
            "aws ecs untag-resource",
            f"--resource-arn {scene.farm.arn(service)}",
            f"--tag-keys {' '.join(keys)}",
        )
        scene.farm.untag(service, *keys)
    scene.wait(
        "no name answers",
        lambda: not any(map(scene.exists, named)),
        lambda: [*map(scene.answers, named)],
    )
    gone = time.time() - untagged_at
    for service in going:
        _wait_forgotten(scene, service)
    everything = time.time() - untagged_at
    for service in named:
        _expect_nothing(scene, service)
    if scene.haste:
        _expect_unbalanced(scene)
    else:
        _expect_others_stay(scene)
    scene.took("no answer", gone, "until NXDOMAIN")
    scene.took("all gone", everything, "until neither Cloud Map nor the ledger knew of it")


def deleted(scene: Scene) -> None:
    """Delete the stack, with gallina still exposed where there was no haste."""
    stack = scene.world.lambdas.deployment.stack_name
    if scene.exists(GALLINA):
        scene.stage.say("The others are still exposed: before the stack goes, cleanup withdraws them.")
    scene.stage.type(f"aws cloudformation delete-stack --stack-name {stack}")
    began = time.time()
    with scene.film(GALLINA):
        scene.world.lambdas.delete_stack()
    took = time.time() - began
    scene.expect("no name is left", _left(scene, GALLINA), holds=_left(scene, GALLINA) == _NOTHING)
    left = scene.world.left_of(stack)
    scene.expect("nothing of ours is left", ", ".join(left) or "nothing", holds=not left)
    stays = [each["LoadBalancerName"] for each in scene.farm.elb.describe_load_balancers()["LoadBalancers"]]
    scene.expect(f"{LAGUNA} stays", ", ".join(stays) or "nothing does", holds=stays == [LAGUNA])
    tasks = sum(len(scene.world.tasks(service)) for service in (*FARMED, *LISTED))
    all_ = COUNT * len(FARMED) + FEW * len(LISTED)
    scene.expect("the tasks run on", f"{tasks} of {all_}", holds=tasks == all_)
    failures = [f"{caller}: {error}" for caller, error in scene.world.lambdas.failures]
    scene.expect("no function ever failed", "; ".join(failures) or "none", holds=not failures)
    scene.took("in all", took, "until the stack was gone")


def _wait_forgotten(scene: Scene, service: str) -> None:
    world = scene.world
    scene.wait("Cloud Map lets go", lambda: service not in world.instances(), world.instances)
    scene.wait("the ledger forgets", lambda: not world.remembered(service), lambda: world.remembered(service))


def _expect_nothing(scene: Scene, service: str) -> None:
    scene.stage.type(f"dig +short {name_of(service)}")
    scene.stage.show(str(scene.world.ask(name_of(service))))
    left = _left(scene, service)
    scene.expect(f"{service}: no name, no instance", left, holds=left == _NOTHING)
    kept = len(scene.world.remembered(service))
    scene.expect(f"{service}: nothing in the ledger", f"{kept} entries", holds=not kept)


def _expect_unbalanced(scene: Scene) -> None:
    """With its last user, and a grace period, the load balancer that was made goes too."""
    scene.wait(
        "load balancing is as it was",
        lambda: not scene.balancing.made(),
        scene.balancing.made,
    )
    left = ", ".join(scene.balancing.made())
    scene.expect("no balancer, group, listener", left or "none", holds=not left)


def _expect_others_stay(scene: Scene) -> None:
    """What conejo alone had is gone; what it shared is not, and the others do not notice."""
    left = "a target group" if CONEJO in scene.balancing.groups() else refused(scene, f"/{CONEJO}")
    scene.expect(f"/{CONEJO} and its group are gone", left, holds=left == NOT_FOUND)
    answer = [service for service in (GALLINA, PATO) if answers(scene, service)]
    scene.expect("the others still answer", ", ".join(answer) or "none", holds=len(answer) == 2)
    scene.expect_never_wrong(GALLINA)
    scene.expect_never_empty(GALLINA)


def _left(scene: Scene, service: str) -> str:
    """What is left of a name."""
    answer, instances = scene.world.ask(name_of(service)), scene.world.instances()
    found = [str(answer)] if answer and answer.exists else []
    found += [f"{instances[service]} instances"] if service in instances else []
    return ", ".join(found) or _NOTHING
