"""The last chapters: the tag goes, and with it all that it made; the stack goes, and with it all that is left."""

from __future__ import annotations

import time

from farm.demo.scene import CONEJO, COUNT, GALLINA, SERVICES, TAG, Scene, name_of

_NOTHING = "NXDOMAIN, none"


def untagged(scene: Scene) -> None:
    """Remove the tag of conejo; in haste that of gallina too, so that the stack has nothing left to withdraw."""
    scene.stage.say("Without its tag a service is not reachable by name. Its tasks do not notice.")
    untagged_at = time.time()
    going = SERVICES if scene.haste else (CONEJO,)
    for service in going:
        scene.stage.type(
            "aws ecs untag-resource", f"--resource-arn {scene.farm.arn(service)}", f"--tag-keys {TAG}"
        )
        scene.farm.untag(service, TAG)
    scene.wait(
        "no name answers",
        lambda: not any(map(scene.exists, going)),
        lambda: [*map(scene.answers, going)],
    )
    gone = time.time() - untagged_at
    for service in going:
        _wait_forgotten(scene, service)
    everything = time.time() - untagged_at
    for service in going:
        _expect_nothing(scene, service)
    if GALLINA not in going:
        scene.expect_never_wrong(GALLINA)
        scene.expect_never_empty(GALLINA)
    scene.took("no answer", gone, "until NXDOMAIN")
    scene.took("all gone", everything, "until neither Cloud Map nor the ledger knew of it")


def deleted(scene: Scene) -> None:
    """Delete the stack, with gallina still exposed where there was no haste."""
    stack = scene.world.lambdas.deployment.stack_name
    if scene.exists(GALLINA):
        scene.stage.say("gallina is still exposed: before the stack goes, cleanup withdraws it.")
    scene.stage.type(f"aws cloudformation delete-stack --stack-name {stack}")
    began = time.time()
    with scene.film(GALLINA):
        scene.world.lambdas.delete_stack()
    took = time.time() - began
    scene.expect("no name is left", _left(scene, GALLINA), holds=_left(scene, GALLINA) == _NOTHING)
    left = scene.world.left_of(stack)
    scene.expect("nothing of ours is left", ", ".join(left) or "nothing", holds=not left)
    tasks = sum(len(scene.world.tasks(service)) for service in SERVICES)
    scene.expect("the tasks run on", f"{tasks} of {2 * COUNT}", holds=tasks == 2 * COUNT)
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


def _left(scene: Scene, service: str) -> str:
    """What is left of a name."""
    answer, instances = scene.world.ask(name_of(service)), scene.world.instances()
    found = [str(answer)] if answer and answer.exists else []
    found += [f"{instances[service]} instances"] if service in instances else []
    return ", ".join(found) or _NOTHING
