"""The farm put together: an account in which services live, with the product deployed in it from its own template.

`Farm.virtual` is for tests: all in one process and one thread, on virtual time, deterministic. `Farm.wall` runs on the
clock: moto's server for the real `aws` command line, functions in processes of their own, a name server, and tasks that
answer HTTP.
"""

from __future__ import annotations

import json
import logging
import os
import random
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from boto3.dynamodb.types import TypeDeserializer
from moto import mock_aws
from moto.moto_api._internal import mock_random
from moto.moto_api._internal.models import moto_api_backend
from moto.server import ThreadedMotoServer
from moto.sqs.models import Queue, sqs_backends

from farm import discovery, plots, seed
from farm.account import Account
from farm.aws import ACCOUNT, REGION, events, mend
from farm.aws.ecs import add_host
from farm.bus import Bus, Envelope, Manners
from farm.chance import repeatable
from farm.deploy import deploy
from farm.gate import GATE, Call
from farm.iam import Iam
from farm.internet import Internet
from farm.lambdas import Lambdas, Launch, Portion, at_once, in_threads, whole
from farm.living import Living
from farm.pace import DEMO
from farm.runtimes import InProcess, Logs, Subprocess
from farm.setup import Setup
from farm.throttle import Throttle
from farm.timeline import Timeline, WallTimeline
from farm.trail import Trail
from farm.workers import SideBySide

_TEMPLATE = Path(__file__).parents[1] / "template.yaml"
_PUBLISHED = "farm-published"
_IDLE = frozenset({"farm.aws.elb.health", "farm.aws.events", "farm.balancers.traffic", "farm.pump"})
"""The modules whose actions on the timeline are ticks of schedules, looks at queues, health checks and clients."""


class Farm(Account, Internet):
    """An account that lives: what happens to it, and what to look at.

    What its user can do is in `Account`, what clients see of it in `Internet`.
    """

    def __init__(self, timeline: Timeline, setup: Setup, *, endpoint: str | None = None) -> None:
        Account.__init__(self, endpoint)
        Internet.__init__(self, timeline, setup.pace)
        self.setup = setup
        self.bus = Bus(timeline, setup.manners, events.emit)
        self.living = Living(timeline, self.bus, setup.pace, seed=setup.seed)
        self.cloudtrail = Trail(timeline, self.bus, delay=setup.pace.trail)
        self.living.followers += [discovery.follow, self.follow]
        self.iam: Iam | None = None
        self.lambdas: Lambdas | None = None
        self.logs: Logs = {}
        """What each function printed, by its folder's name."""
        self.watched: dict[str, str] = {}
        """The ids of the hosted zones that others keep and the stack watches, by name."""
        self._published: list[Envelope] = []

    @classmethod
    @contextmanager
    def virtual(cls, **setup: Any) -> Iterator[Farm]:
        """A farm on virtual time, where nothing happens but in `run_for`, `run_until` and `settle`. See `Setup`."""
        timeline, wanted = Timeline(), Setup(**setup)
        _prepare(timeline, wanted)
        with mock_aws(), ExitStack() as exits:
            exits.enter_context(repeatable(wanted.seed))
            farm = cls(timeline, wanted)
            farm._open(exits)
            if wanted.deploy and wanted.workers:
                side_by_side = SideBySide(wanted.workers)
                exits.callback(side_by_side.close)
                farm._deploy(side_by_side, side_by_side.launch, side_by_side.portion)
            elif wanted.deploy:
                farm._deploy(InProcess(), at_once)
            yield farm

    @classmethod
    @contextmanager
    def wall(cls, *, port: int = 0, dns_port: int = 0, **setup: Any) -> Iterator[Farm]:
        """A farm on the clock, with an endpoint, a name server and tasks that answer. OSError if a port is in use."""
        by_default = {"pace": DEMO, "manners": Manners(), "seed": random.randrange(2**32)}
        timeline, wanted = WallTimeline(), Setup(**{**by_default, **setup})
        _prepare(timeline, wanted)
        with ExitStack() as exits:
            farm = cls(timeline, wanted, endpoint=_serve(exits, port))
            farm.connect(exits, dns_port)
            timeline.start()
            exits.callback(timeline.stop)
            farm._open(exits)
            plots.settle_on(exits.enter_context(plots.plot()), farm.network)
            if wanted.deploy:
                executor = exits.enter_context(ThreadPoolExecutor(8, "functions"))
                runtime = Subprocess(str(farm.endpoint))
                exits.callback(runtime.close)
                farm._deploy(runtime, in_threads(executor))
            exits.callback(timeline.stop)  # before all else: nothing may happen on a farm half gone
            yield farm

    def _open(self, exits: ExitStack) -> None:
        self.attach(self.setup.pace)
        GATE.observers += [self.living.observe, self.cloudtrail.observe]
        exits.callback(GATE.reset)
        self.network = seed.network(self.ec2, ipv6=self.setup.ipv6)
        self.ecs.create_cluster(clusterName=self.cluster)
        self._listen_for_published()
        for name in self.setup.watched:
            made = self.client("route53").create_hosted_zone(Name=name, CallerReference=name)
            self.watched[name] = made["HostedZone"]["Id"].rpartition("/")[2]

    def _deploy(
        self, runtime: InProcess | SideBySide | Subprocess, launch: Launch, portion: Portion = whole
    ) -> None:
        """The product, from its own template, with the permissions that the template gives it."""
        zones = {"GuardZones": ",".join(self.watched.values())} if self.watched else {}
        deployment = deploy(_TEMPLATE, {**zones, **self.setup.parameters})
        self.iam = Iam(deployment.roles)
        self.iam.enforce()
        GATE.throttle = Throttle() if self.setup.throttle else None
        self.lambdas, self.logs = Lambdas(deployment, runtime, launch, portion), runtime.logs
        self.lambdas.start()

    def run_for(self, seconds: float) -> None:
        self.timeline.run_for(seconds)

    def run_until(self, reached: Callable[[], bool], *, limit: float = 600) -> bool:
        return self.timeline.run_until(reached, limit=limit)

    def settle(self, limit: float = 3600) -> bool:
        """Let time pass until the farm is quiet. False if it is not within `limit` seconds."""
        return self.run_until(self.quiet, limit=limit)

    def quiet(self) -> bool:
        """Whether all that is left to happen is the clock's ticks and looks at queues that are empty."""
        idle = all(getattr(action, "__module__", "") in _IDLE for _, _, action in list(self.timeline._due))
        return idle and not any(queue._messages for queue in self._queues())

    def add_host(self, *, public: bool = True) -> str:
        """A container instance joins the cluster, so that tasks of launch type EC2 have a place. Its ARN."""
        subnet = (self.network.public if public else self.network.private)[0]
        host = add_host(self.cluster, subnet, public=public)
        self.living.host_came()
        return str(host.container_instance_arn)

    def kill(self, task: str) -> None:
        """The task dies without warning."""
        self.living.kill(task)

    def delete_stack(self) -> None:
        """Delete the product's stack; its custom resource withdraws what is published first."""
        self._deployed().delete_stack()

    def calls(self, service: str = "", operation: str = "", caller: str = "") -> list[Call]:
        """The calls that passed the gate, narrowed to those of a service, an operation, a caller."""
        return [
            call
            for call in GATE.calls
            if service in {"", call.service}
            and operation in {"", call.operation}
            and caller in {"", call.caller}
        ]

    def ledger(self) -> list[dict[str, Any]]:
        """Everything that the product keeps, but for the trail of addresses."""
        return self._items("Ledger")

    def trail(self) -> list[dict[str, Any]]:
        """Everything that the product knows of which public address was whose."""
        return self._items("Trail")

    def _items(self, name: str) -> list[dict[str, Any]]:
        table = self._deployed().deployment.ref(name)
        read = TypeDeserializer().deserialize
        pages = self.client("dynamodb").get_paginator("scan").paginate(TableName=table)
        items = [item for page in pages for item in page["Items"]]
        return [{key: read(value) for key, value in item.items()} for item in items]

    def published(self, detail_type: str = "") -> list[Envelope]:
        """The events that the product has published so far."""
        sqs = self.client("sqs")
        url = sqs.get_queue_url(QueueName=_PUBLISHED)["QueueUrl"]
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                self._published.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [event for event in self._published if detail_type in {"", event["detail-type"]}]

    def _queues(self) -> list[Queue]:
        """Those that functions are fed from."""
        sources = self.lambdas.deployment.sources.values() if self.lambdas else ()
        names = [source.queue_arn.rpartition(":")[2] for source in sources]
        return [sqs_backends[ACCOUNT][REGION].get_queue(name) for name in names]

    def _deployed(self) -> Lambdas:
        if self.lambdas is None:
            raise LookupError("nothing is deployed on this farm")
        return self.lambdas

    def _listen_for_published(self) -> None:
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{_PUBLISHED}"
        self.client("sqs").create_queue(QueueName=_PUBLISHED)
        bus = self.client("events")
        bus.put_rule(Name=_PUBLISHED, EventPattern=json.dumps({"source": ["ecs-expose"]}))
        bus.put_targets(Rule=_PUBLISHED, Targets=[{"Id": "queue", "Arn": arn}])


def _prepare(timeline: Timeline, setup: Setup) -> None:
    os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    mend(timeline)
    mock_random.seed(setup.seed)
    GATE.reset()


def _serve(exits: ExitStack, port: int) -> str:
    """Moto's server. It would die unseen in its own thread if the port were in use, so that is tried first."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    moto_api_backend.reset()  # an earlier farm in this process may have left an account behind
    server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
    server.start()
    exits.callback(server.stop)
    host, bound = server.get_host_and_port()
    return f"http://{host}:{bound}"
