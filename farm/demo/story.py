"""The chapters in which all goes well: two names appear, their tasks answer, a deployment changes every address."""

from __future__ import annotations

import json
import textwrap
import time

from farm import seed
from farm.demo.scene import CONEJO, COUNT, DNS, SERVICES, Scene, name_of
from farm.demo.world import in_order


def tagged(scene: Scene) -> None:
    """Tag the services; the names answer with their tasks."""
    scene.stage.say("One tag on each service is all that anybody does.")
    for service in SERVICES:
        scene.stage.type(
            "aws ecs tag-resource",
            f"--resource-arn {scene.farm.arn(service)}",
            f"--tags key={DNS},value={name_of(service)}",
        )
    appeared = {}
    with scene.film():
        for service in SERVICES:
            appeared[service] = time.time()
            scene.farm.tag(service, {DNS: name_of(service)})
        for service in SERVICES:
            scene.wait_published(service)
            appeared[service] = scene.seen(service).settled_at() - appeared[service]
    for service in SERVICES:
        _resolve(scene, service)
    scene.took("tag", max(appeared.values()), "from the tag until all tasks were answered")


def requested(scene: Scene) -> None:
    """Ask each resolved address over HTTP who is there."""
    scene.stage.say("Each task is a real HTTP server at its own address and says who it is.")
    for service in SERVICES:
        tasks = {life.task for life in scene.seen(service).lives}
        addresses = in_order(scene.answers(service))
        pages = [scene.world.get(address) for address in addresses]
        scene.stage.type(f"curl http://{addresses[0]}:{seed.PORT}/")
        scene.stage.show(textwrap.shorten(json.dumps(pages[0]), 76, placeholder=" ..."))
        right = [page for page in pages if page["service"] == service and page["task"] in tasks]
        scene.expect(
            f"{COUNT} requests answered by {service}",
            f"{len(right)} of {len(pages)}",
            holds=len(right) == len(pages) == COUNT,
        )


def rolled(scene: Scene) -> None:
    """Replace every task of conejo."""
    scene.rest()
    scene.stage.say("Every task, and so every address, is replaced while a client keeps asking.")
    before = scene.answers(CONEJO)
    scene.stage.type(
        f"aws ecs update-service --cluster {seed.CLUSTER} --service {CONEJO}", f"--task-definition {CONEJO}:2"
    )
    with scene.film():
        scene.farm.deploy_new_revision(CONEJO)
        scene.wait(
            "the deployment is over",
            lambda: not scene.world.tasks(CONEJO) & before and scene.farm.living.steady(),
            lambda: f"{len(scene.world.tasks(CONEJO) & before)} old tasks",
        )
        scene.wait_published(CONEJO)
    seen, after = scene.seen(CONEJO), scene.answers(CONEJO)
    changed = len(after - before)
    scene.expect("every address changes", f"{changed} of {COUNT}", holds=changed == len(after) == COUNT)
    scene.expect_never_empty()
    scene.expect_never_wrong()
    scene.took("new task", seen.to_publish(), "from RUNNING to the first answer with it, at most")
    scene.took("old task", seen.to_withdraw(), "from being told to stop to the last answer, at most")
    scene.stage.note(f"An old task ran on for {seen.to_stop():.1f} s after it was told to stop, at least.")


def _resolve(scene: Scene, service: str) -> None:
    answer = scene.world.ask(name_of(service))
    scene.stage.type(f"dig +short {name_of(service)}")
    scene.stage.show(str(answer))
    right = scene.answers(service) & scene.world.tasks(service)
    scene.expect(
        f"{service} resolves to its {COUNT} tasks", f"{len(right)} of {COUNT}", holds=len(right) == COUNT
    )
