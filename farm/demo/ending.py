"""The last chapters: the tag goes, and with it all that it made; the stack goes, and with it all that is left."""

from __future__ import annotations

import time

from farm.demo.scene import CONEJO, COUNT, GALLINA, TAG, Scene, name_of

_NOTHING = "NXDOMAIN, none"


def untagged(scene: Scene) -> None:
    """Remove the tag of conejo."""
    scene.stage.say("Without its tag a service is not reachable by name. Its tasks do not notice.")
    scene.stage.type(
        "aws ecs untag-resource", f"--resource-arn {scene.farm.arn(CONEJO)}", f"--tag-keys {TAG}"
    )
    untagged_at = time.time()
    scene.farm.untag(CONEJO, TAG)
    scene.wait(f"{name_of(CONEJO)} goes", lambda: not scene.exists(CONEJO), lambda: scene.answers(CONEJO))
    gone = time.time() - untagged_at
    scene.wait("Cloud Map service goes", lambda: CONEJO not in scene.world.instances(), scene.world.instances)
    scene.wait(
        "the ledger forgets",
        lambda: not scene.world.remembered(CONEJO),
        lambda: scene.world.remembered(CONEJO),
    )
    everything = time.time() - untagged_at
    scene.stage.type(f"dig +short {name_of(CONEJO)}")
    scene.stage.show(str(scene.world.ask(name_of(CONEJO))))
    scene.expect(
        "no name, no Cloud Map service", _left(scene, CONEJO), holds=_left(scene, CONEJO) == _NOTHING
    )
    kept = len(scene.world.remembered(CONEJO))
    scene.expect("nothing in the ledger", f"{kept} entries", holds=not kept)
    scene.expect_never_wrong(GALLINA)
    scene.expect_never_empty(GALLINA)
    scene.took("no answer", gone, "until NXDOMAIN")
    scene.took("all gone", everything, "until neither Cloud Map nor the ledger knew of it")


def deleted(scene: Scene) -> None:
    """Delete the stack, with gallina still exposed."""
    stack = scene.world.lambdas.deployment.stack_name
    scene.stage.say("gallina is still exposed: before the stack goes, cleanup withdraws it.")
    scene.stage.type(f"aws cloudformation delete-stack --stack-name {stack}")
    began = time.time()
    with scene.film(GALLINA):
        scene.world.lambdas.delete_stack()
    took = time.time() - began
    scene.expect("gallina is withdrawn", _left(scene, GALLINA), holds=_left(scene, GALLINA) == _NOTHING)
    left = scene.world.left_of(stack)
    scene.expect("nothing of ours is left", ", ".join(left) or "nothing", holds=not left)
    tasks = len(scene.world.tasks(CONEJO)) + len(scene.world.tasks(GALLINA))
    scene.expect("the tasks run on", f"{tasks} of {2 * COUNT}", holds=tasks == 2 * COUNT)
    failures = [f"{caller}: {error}" for caller, error in scene.world.lambdas.failures]
    scene.expect("no function ever failed", "; ".join(failures) or "none", holds=not failures)
    scene.took("in all", took, "until the stack was gone")


def _left(scene: Scene, service: str) -> str:
    """What is left of a name."""
    answer, instances = scene.world.ask(name_of(service)), scene.world.instances()
    found = [str(answer)] if answer and answer.exists else []
    found += [f"{instances[service]} instances"] if service in instances else []
    return ", ".join(found) or _NOTHING
