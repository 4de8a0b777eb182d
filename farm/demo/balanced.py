"""The chapters with load balancers: two services share one by path, a third gets a port of another team's, and a
deployment goes on behind one of them while requests keep coming.
"""

from __future__ import annotations

import json
import textwrap
import time
from collections import Counter
from collections.abc import Mapping
from urllib.error import HTTPError

from farm import seed
from farm.balancers.routing import Request
from farm.demo.balancing import LAGUNA, Entrance
from farm.demo.chart import LEAD, bars, pairs
from farm.demo.load import Load, short
from farm.demo.scene import CONEJO, COUNT, DNS, GALLINA, LB, PATO, Scene, name_of
from farm.demo.world import in_order

ENTRANCES = {
    CONEJO: Entrance(f"internal path=/{CONEJO} health=/ok interval=5", "", 80, f"/{CONEJO}"),
    GALLINA: Entrance(f"internal path=/{GALLINA} health=/ok interval=5", "", 80, f"/{GALLINA}"),
    PATO: Entrance(f"{LAGUNA}:5432 protocol=TCP interval=5", LAGUNA, 5432, "/"),
}
NOT_FOUND = "404"
_REQUESTS = 40
RATE = 60.0  # requests a second
FLOOR = 50.0  # of which at least so many have to come
_SLOW = 2.0  # seconds that an answer may take


def tagged(scene: Scene) -> None:
    """Tag three services; each answers through a load balancer."""
    scene.stage.say("Two services share a load balancer by path: there is none yet, so it is made.")
    scene.stage.say(f"A third gets a port of {LAGUNA}, which another team made.")
    for service, entrance in ENTRANCES.items():
        scene.stage.type(
            "aws ecs tag-resource",
            f"--resource-arn {scene.farm.arn(service)}",
            f'--tags "key={LB},value={entrance.tag}"',
        )
    answered: dict[str, float] = {}
    with scene.stage.film(lambda: pairs(_standing(scene))):
        scene.farm.tag(CONEJO, {DNS: name_of(CONEJO)})  # what the last chapter misspelt
        began = {service: _tag(scene, service) for service in ENTRANCES}
        scene.wait(
            "each service answers through its balancer",
            lambda: _all_answered(scene, answered),
            lambda: f"only {', '.join(answered) or 'nobody'} does",
        )
        scene.wait(
            "all targets are healthy",
            lambda: all(scene.balancing.states(service) == {"healthy": COUNT} for service in ENTRANCES),
            lambda: _standing(scene),
        )
    for service in ENTRANCES:
        healthy = scene.balancing.states(service)["healthy"]
        scene.expect(
            f"{service} has {COUNT} healthy targets", f"{healthy} of {COUNT}", holds=healthy == COUNT
        )
    scene.took("ALB", answered[CONEJO] - began[CONEJO], "from the tag to the first answer; it was made new")
    scene.took("NLB", answered[PATO] - began[PATO], "from the tag to the first answer")


def requested(scene: Scene) -> None:
    """Ask through the balancers who is there."""
    _, address = scene.balancing.shared()
    scene.stage.say("The balancer has a name at AWS; behind it, the path says which service answers.")
    scene.stage.type("dig +short", address)
    scene.stage.show(" ".join(in_order(frozenset(scene.farm.dig(address)))))
    for service, entrance in ENTRANCES.items():
        _share(scene, service, entrance)
    heard = refused(scene, f"/{CONEJO}s")
    scene.expect(f"/{CONEJO}s is nobody's", heard, holds=heard == NOT_FOUND)


def rolled(scene: Scene) -> None:
    """Replace every task of conejo under continuous requests through its balancer."""
    if not scene.haste:
        scene.rest()
    before = {task["taskArn"].rpartition("/")[2] for task in scene.farm.tasks(CONEJO)}
    scene.stage.say(f"{RATE:.0f} real requests a second go to /{CONEJO}, and every task there is replaced.")
    scene.stage.type(
        f"aws ecs update-service --cluster {seed.CLUSTER} --service {CONEJO}", f"--task-definition {CONEJO}:3"
    )
    _, address = scene.balancing.shared()
    traffic = scene.farm.traffic(address, 80, Request(path=f"/{CONEJO}"), per_second=RATE)
    load = Load(traffic, lambda: scene.seen(CONEJO).lives)
    with load, scene.film_of(load.window):
        time.sleep(LEAD)
        scene.farm.deploy_new_revision(CONEJO)
        scene.wait(
            "every old task has STOPPED",
            lambda: stopped(scene, CONEJO, before) == COUNT and scene.farm.living.steady(),
            lambda: f"{stopped(scene, CONEJO, before)} of {COUNT} have",
        )
        scene.wait_published(CONEJO)
    judge(scene, load, before)
    scene.expect_never_wrong()


def judge(scene: Scene, load: Load, before: set[str]) -> None:
    """What came of the requests, and whether new and old tasks had their turns."""
    traffic, seen = load.traffic, load.window()
    scene.expect("no request is lost", load.lost, holds=traffic.sent > 0 and not traffic.lost)
    scene.expect(f"{FLOOR:.0f} a second, at least", f"{load.rate:.0f} a second", holds=load.rate >= FLOOR)
    new = len(traffic.tasks.keys() - before)
    scene.expect("every new task takes its share", f"{new} of {COUNT}", holds=new == COUNT)
    slowest = traffic.latency(0.99)
    scene.expect(
        f"99% answer within {_SLOW:.0f} s", f"within {slowest * 1000:.0f} ms", holds=0 < slowest < _SLOW
    )
    scene.took("new task", seen.to_publish(), "from RUNNING to its first request, at most")
    scene.took("old task", seen.to_withdraw(), "from being told to stop to its last request, at most")
    scene.stage.note(f"An old task ran on for {seen.to_stop():.1f} s after it was told to stop, at least.")


def _share(scene: Scene, service: str, entrance: Entrance) -> None:
    """How many requests each task of a service answers."""
    balancer, port, path = _place(scene, entrance)
    tasks = {task["taskArn"].rpartition("/")[2] for task in scene.farm.tasks(service)}
    pages = [scene.balancing.get(balancer, port, path, turn=turn) for turn in range(_REQUESTS)]
    scene.stage.type(f"curl http://{scene.balancing.doors(balancer, port)[0]}{path}")
    scene.stage.show(textwrap.shorten(json.dumps(pages[0]), 76, placeholder=" ..."))
    counts = Counter(page["task"] for page in pages)
    scene.stage.picture(bars({short(task): counts[task] for task in sorted(tasks)}))
    fair = all(counts[task] >= _REQUESTS / COUNT / 2 for task in tasks)
    scene.expect(
        f"{service}: {_REQUESTS} by {COUNT} tasks",
        " + ".join(str(counts[task]) for task in sorted(counts)),
        holds=fair and counts.keys() == tasks and len(tasks) == COUNT,
    )


def _tag(scene: Scene, service: str) -> float:
    """When that was."""
    began = time.time()
    scene.farm.tag(service, {LB: ENTRANCES[service].tag})
    return began


def _all_answered(scene: Scene, answered: dict[str, float]) -> bool:
    """Note which services answer by now."""
    for service in ENTRANCES:
        if service not in answered and answers(scene, service):
            answered[service] = time.time()
    return answered.keys() == ENTRANCES.keys()


def answers(scene: Scene, service: str) -> bool:
    try:
        page = scene.balancing.get(*_place(scene, ENTRANCES[service]))
    except OSError:
        return False
    return bool(page["service"] == service)


def refused(scene: Scene, path: str) -> str:
    """What a request hears that is to get no answer."""
    _, address = scene.balancing.shared()
    try:
        return f"{scene.balancing.get(address, 80, path)}"
    except HTTPError as error:
        return str(error.code)
    except OSError as error:
        return str(error)


def _place(scene: Scene, entrance: Entrance) -> tuple[str, int, str]:
    return entrance.balancer or scene.balancing.shared()[1], entrance.port, entrance.path


def _standing(scene: Scene) -> Mapping[str, str]:
    """Where each service stands, and how its targets are."""
    shared = scene.balancing.shared()[0] or "(no balancer yet)"
    found = {}
    for service, entrance in ENTRANCES.items():
        states = scene.balancing.states(service)
        said = ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "no target"
        place = f"{entrance.balancer or shared}:{entrance.port}{entrance.path.removesuffix('/')}"
        found[service] = f"{place:<42}{said}"
    return found


def stopped(scene: Scene, service: str, tasks: set[str]) -> int:
    """How many of a service's tasks have."""
    now = time.time()
    return sum(life.stopped_at < now for life in scene.seen(service).lives if life.task in tasks)
