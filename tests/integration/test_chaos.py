"""Rule 8 with a user in it: whatever is done to a service, in any order and at any moment, the end is right, and soon.

The sweep is switched off, so that nothing but events and the functions' own looks lead there.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from farm.bus import Manners
from farm.farm import Farm
from farm.pace import DEMO, FAST
from tests.integration.world import kept

NAME = "conejo.granja.animales.com"


def actions(farm: Farm, random: Random) -> list[Callable[[], object]]:
    def task() -> str:
        return random.choice([each["taskArn"] for each in farm.tasks("conejo")])

    return [
        lambda: farm.tag("conejo", {"expose:dns": NAME}),
        lambda: farm.tag("conejo", {"expose:dns": f"{NAME} ttl={random.randint(1, 60)}"}),
        lambda: farm.tag("conejo", {"expose:dns": f"{NAME} type={random.choice(['A', 'SRV'])}"}),
        lambda: farm.untag("conejo", "expose:dns"),
        lambda: farm.scale("conejo", random.randint(2, 5)),
        lambda: farm.stop_task(task()) if farm.tasks("conejo") else None,
        lambda: farm.kill(task().rsplit("/", 1)[-1]) if farm.tasks("conejo") else None,
        lambda: farm.deploy_new_revision("conejo"),
    ]


def right(farm: Farm) -> bool:
    tags = {tag["key"]: tag["value"] for tag in farm.service("conejo").get("tags", [])}
    published = sorted(
        each["Attributes"]["AWS_INSTANCE_IPV4"]
        for service in farm.cloudmap.list_services()["Services"]
        for each in farm.cloudmap.list_instances(ServiceId=service["Id"])["Instances"]
    )
    wanted = farm.addresses("conejo") if tags else []
    return farm.living.steady() and published == wanted and bool(tags or not kept(farm))


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_done_the_end_is_right_and_soon(seed: int) -> None:
    random = Random(seed)
    manners = Manners(seed=seed, delay=(0.0, 0.3), duplicate=0.2)
    with Farm.virtual(pace=random.choice([FAST, DEMO]), manners=manners, seed=seed) as farm:
        farm.create_namespace("granja.animales.com")
        farm.create_service("conejo", 3)
        farm.settle()
        assert farm.lambdas is not None
        for rule in farm.lambdas.deployment.schedules:
            farm.client("events").disable_rule(Name=rule)
        for _ in range(random.randint(4, 10)):
            random.choice(actions(farm, random))()
            farm.run_for(random.choice([0.0, 0.1, 0.5, 1, 2, 5]))
        assert farm.run_until(lambda: right(farm), limit=60)
