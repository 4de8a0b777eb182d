"""Playing the chapters, one after the other, on a farm of their own; and the verdict."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.text import Text

from farm import seed
from farm.custom import DeploymentError
from farm.demo import balanced, ending, gated, public, story, troubles
from farm.demo.balancing import LAGUNA
from farm.demo.lists import ZONE
from farm.demo.scene import ABEJA, COUNT, FARMED, FEW, MULA, PRIVATE, SERVICES, Scene, name_of
from farm.demo.stage import Stage
from farm.demo.verdict import Check, Result, table
from farm.demo.watch import Watch
from farm.demo.world import UnmetError, World, until
from farm.farm import Farm
from farm.functions import FunctionError
from farm.gateway.issuer import URL, Issuer, issuing
from farm.pace import DEMO, FAST, REAL

_CHAPTERS: tuple[tuple[str, Callable[[Scene], None]], ...] = (
    ("Two services are tagged", story.tagged),
    ("Who answers there?", story.requested),
    ("A rolling deployment", story.rolled),
    ("A task dies without warning", troubles.killed),
    ("A change that nobody hears of", troubles.unheard),
    ("A bad tag", troubles.misspelt),
    ("Three go behind load balancers", balanced.tagged),
    ("Who answers behind them?", balanced.requested),
    ("A deployment under traffic", balanced.rolled),
    ("An API for a private service", gated.opened),
    ("A deployment behind the API", gated.rolled),
    ("Versions come and go", gated.versions),
    ("Public addresses, in a list", public.listed),
    ("What else is open", public.audited),
    ("A record left behind", public.left),
    ("The tags are removed", ending.untagged),
    ("The stack is deleted", ending.deleted),
)
_AS_IN_LIFE = {"decided": REAL.decided, "deactivating": REAL.deactivating}
"""The steps before SIGTERM: the time there is to withdraw a task. Requests are lost where a farm hurries them."""
_PATIENT = replace(DEMO, **_AS_IN_LIFE)
_QUICK = replace(FAST, stopping=2.0, **_AS_IN_LIFE)
_STACK = {"CreateLoadBalancers": "internal", "AllowedIssuers": URL, "GraceSeconds": "2"}
_TROUBLE = (UnmetError, FunctionError, DeploymentError, ClientError, BotoCoreError, OSError)
"""What may be met when the product, or the farm, does not do as it should."""


def run(
    console: Console, *, fast: bool, parameters: Mapping[str, str] | None = None, patience: float = 20
) -> int:
    """Play everything, with more stack parameters. 0 if all is as expected, 1 if anything is not, 130 if interrupted."""
    began = time.time()
    stage = Stage(console, pauses=0.02 if fast else 0.8)
    results = [Result(title) for title, _ in _CHAPTERS]
    pace, window = (_QUICK, {"WindowSeconds": "1", "GraceSeconds": "1"}) if fast else (_PATIENT, {})
    stage.title("ecs-expose: tag a service and it is reachable", "A pocket AWS wakes up on loopback ...")
    try:
        with (
            _farm_says(stage),
            Farm.wall(
                pace=pace, parameters={**_STACK, **window, **(parameters or {})}, watched=(ZONE,)
            ) as farm,
            issuing() as issuer,
        ):
            world = _awake(farm, issuer, stage)
            with Watch(world, {name_of(service): service for service in SERVICES}) as watch:
                _populate(farm, stage)
                _play(world, watch, stage, results, patience=patience, haste=fast)
    except KeyboardInterrupt:
        stage.note("Interrupted. The farm sleeps.")
        return 130
    except _TROUBLE as error:
        stage.fail(f"The farm does not wake up: {error}")
        return 1
    if fast:
        stage.note("In haste: AWS calls that trail behind a chapter are counted in the next one.")
    return _verdict(stage, results, time.time() - began)


def _awake(farm: Farm, issuer: Issuer, stage: Stage) -> World:
    if farm.lambdas is None or farm.server is None:
        raise UnmetError("it has no functions, or no name server")
    deployment, server = farm.lambdas.deployment, farm.server
    names = sorted(function.caller for function in deployment.functions.values())
    stage.note(f"AWS answers at {farm.endpoint}, its name server at {server.address}:{server.port}.")
    stage.note(
        f"template.yaml is deployed as {deployment.stack_name}, with the functions {', '.join(names)}."
    )
    return World(farm, farm.lambdas, issuer, server.port)


def _populate(farm: Farm, stage: Stage) -> None:
    """What is there before anybody asks for anything. Raises UnmetError."""
    stage.type(f"aws servicediscovery create-public-dns-namespace --name {seed.NAMESPACE}")
    farm.create_namespace(seed.NAMESPACE)
    tidy = seed.open_group(farm.ec2, farm.network, "tidy", seed.PORT)
    for service in FARMED:
        _create(farm, stage, service, COUNT, tidy)
    for service in PRIVATE:
        stage.type(f"aws ecs create-service --service-name {service} --desired-count {COUNT} ...")
        farm.create_service(service, COUNT, public=False)
    _create(farm, stage, ABEJA, FEW, tidy)
    _create(farm, stage, MULA, FEW, seed.open_group(farm.ec2, farm.network, "open", seed.PORT, seed.SSH))
    stage.type(f"aws elbv2 create-load-balancer --name {LAGUNA} --type network ...")
    farm.create_balancer(LAGUNA, type="network", scheme="internet-facing")
    if not until(farm.living.steady, limit=30):
        raise UnmetError("the tasks do not start")


def _create(farm: Farm, stage: Stage, service: str, count: int, group: str) -> None:
    """One whose tasks have public addresses, behind this security group."""
    stage.type(f"aws ecs create-service --service-name {service} --desired-count {count} ...")
    network = farm.network.configuration(public=True, group=group)
    farm.create_service(service, count, networkConfiguration=network)


def _play(
    world: World, watch: Watch, stage: Stage, results: Sequence[Result], *, patience: float, haste: bool
) -> None:
    """One chapter after the other. The story ends where what the rest stands on is not there."""
    for number, (result, (title, play)) in enumerate(zip(results, _CHAPTERS, strict=True), 1):
        stage.chapter(number, title)
        scene = Scene(world, watch, stage, result, patience=patience, haste=haste)
        try:
            play(scene)
            scene.close()
        except _TROUBLE as trouble:
            unmet = Check("goes to its end", f"{trouble}", holds=False)
            result.checks.append(unmet)
            stage.check(unmet)
            return


@contextmanager
def _farm_says(stage: Stage) -> Iterator[None]:
    """What the farm logs while it runs is shown on the stage, not over it."""
    handler = _ToStage(stage)
    logging.getLogger("farm").addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger("farm").removeHandler(handler)


class _ToStage(logging.Handler):
    def __init__(self, stage: Stage) -> None:
        super().__init__(logging.WARNING)
        self._stage = stage

    def emit(self, record: logging.LogRecord) -> None:
        self._stage.note(f"(farm) {record.getMessage()}")


def _verdict(stage: Stage, results: Sequence[Result], seconds: float) -> int:
    stage.console.print()
    stage.console.print(table(results))
    unmet = sum(not result.holds for result in results)
    if unmet:
        stage.fail(f"{unmet} of {len(results)} chapters differ from what was expected ({seconds:.0f} s).")
        return 1
    stage.console.print(
        Text(f"All {len(results)} chapters went as expected, in {seconds:.0f} s.", "bold green")
    )
    return 0
