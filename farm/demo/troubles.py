"""The chapters in which something goes wrong: a task dies, the events of a change are lost, a tag is misspelt."""

from __future__ import annotations

import json
import time
from pathlib import Path

from farm.bus import Envelope
from farm.demo.scene import CONEJO, COUNT, DNS, Scene, name_of

_CLOCK = Path(__file__).parents[2] / "events" / "clock.json"
_TYPO = "tll=5"


def killed(scene: Scene) -> None:
    """A task dies without warning."""
    victim = scene.victim()
    scene.stage.say("The first that anybody hears is that it has STOPPED. ECS starts another.")
    scene.stage.show(f"task {victim.task[:8]} at {victim.address} is killed", "yellow")
    with scene.film():
        scene.farm.kill(victim.task)
        scene.wait("the task dies", lambda: victim.stopped_at < time.time(), lambda: "running")
        scene.wait_published(CONEJO)
    seen, answers = scene.seen(CONEJO), scene.answers(CONEJO)
    there = victim.address in answers
    scene.expect("its address goes", "still there" if there else "gone", holds=not there)
    scene.expect("its successor comes", f"{len(answers)} of {COUNT}", holds=len(answers) == COUNT)
    scene.expect_never_empty()
    scene.took("dead task", seen.to_withdraw(), "from STOPPED to the last answer with it")
    scene.took("new task", seen.to_publish(), "from RUNNING to the first answer with it")


def unheard(scene: Scene) -> None:
    """The same, and nobody hears of it, until the sweep."""
    scene.rest()
    victim, lost = scene.victim(), len(scene.farm.bus.lost)
    scene.stage.say("Another dies, and this time EventBridge loses every event about it.")
    scene.stage.show(f"task {victim.task[:8]} at {victim.address} is killed", "yellow")
    with scene.film():
        hear_again = scene.farm.bus.lose(_is_about_conejo)
        scene.farm.kill(victim.task)
        scene.wait(
            "another task runs in its place",
            lambda: victim.stopped_at < time.time() and scene.farm.living.steady(),
            lambda: f"{len(scene.world.tasks(CONEJO))} tasks",
        )
        scene.stage.pause(2.0)
        wrong = scene.seen(CONEJO).wrong
        hear_again()
        unasked = scene.swept_at() is not None
        scene.world.lambdas.invoke("sweep", json.loads(_CLOCK.read_text()))
        scene.wait_published(CONEJO)
    scene.stage.note("Not to wait for its minute, the sweep was invoked as its schedule does.")
    lost = len(scene.farm.bus.lost) - lost
    scene.expect("events are lost", f"{lost} of them", holds=lost > 0)
    first = "the schedule's sweep came first" if unasked else f"{wrong} wrong answers"
    scene.expect("unheard, the name goes wrong", first, holds=wrong > 0 or unasked)
    healed = scene.answers(CONEJO) == scene.world.tasks(CONEJO)
    scene.expect("the sweep heals it", "right" if healed else "wrong", holds=healed)
    scene.took(
        "sweep",
        scene.seen(CONEJO).settled_at() - (scene.swept_at() or 0),
        "from its first call until the name was right",
    )


def misspelt(scene: Scene) -> None:
    """A tag that cannot be read."""
    value = f"{name_of(CONEJO)} {_TYPO}"
    scene.stage.say("A typo in an option: nothing is guessed, nothing that works is touched.")
    scene.stage.type(
        "aws ecs tag-resource",
        f"--resource-arn {scene.farm.arn(CONEJO)}",
        f'--tags "key={DNS},value={value}"',
    )
    tagged_at = time.time()
    scene.farm.tag(CONEJO, {DNS: value})
    scene.wait("an event Exposure Blocked", lambda: scene.said("Exposure Blocked", CONEJO), lambda: "none")
    heard = time.time() - tagged_at
    message = str(scene.said("Exposure Blocked", CONEJO)[0]["message"])
    scene.stage.show(message, "yellow")
    named = _TYPO.partition("=")[0] in message and DNS in message
    scene.expect("Exposure Blocked says why", "it names the typo" if named else message, holds=named)
    status = scene.world.status(CONEJO, DNS)
    scene.expect("the ledger says Invalid", status or "nothing", holds=status == "Invalid")
    answers = scene.answers(CONEJO)
    scene.expect(
        "the name keeps answering", f"{len(answers)} of {COUNT}", holds=answers == scene.world.tasks(CONEJO)
    )
    scene.expect_never_empty()
    scene.took("to event", heard, "from the tag to Exposure Blocked")


def _is_about_conejo(event: Envelope) -> bool:
    return (
        event["detail-type"] == "ECS Task State Change"
        and str(event["detail"]["group"]) == f"service:{CONEJO}"
    )
