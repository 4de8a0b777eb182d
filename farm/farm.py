"""The farm put together: an account in which services live, with the product deployed in it from its own template.

`Farm.virtual` is for tests: all in one process and one thread, on virtual time, deterministic. `Farm.wall` runs on the
clock: moto's server for the real `aws` command line, functions in processes of their own, a name server, and tasks that
answer HTTP.
"""

from __future__ import annotations

import json
import logging
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

from moto import mock_aws
from moto.moto_api._internal import mock_random
from moto.server import ThreadedMotoServer

from farm import dns, seed
from farm.account import Account
from farm.aws import ACCOUNT, REGION, cloudmap, events, mend
from farm.aws.ecs import add_host
from farm.bus import Bus, Envelope, Manners
from farm.gate import GATE, Call
from farm.living import Living
from farm.pace import DEMO, FAST, Pace
from farm.tasks import DataPlane
from farm.timeline import Timeline, WallTimeline
from farm.trail import Trail

_PUBLISHED = "farm-published"


class Farm(Account):
    """An account that lives. What its user can do is in `Account`; what happens to it, and what to look at, is here."""

    def __init__(
        self, timeline: Timeline, *, pace: Pace, manners: Manners, endpoint: str | None = None
    ) -> None:
        super().__init__(endpoint)
        self.timeline = timeline
        self.pace = pace
        self.bus = Bus(timeline, manners, events.emit)
        self.living = Living(timeline, self.bus, pace)
        self.trail = Trail(timeline, self.bus, delay=pace.trail)
        self.names = dns.Propagation(timeline, cloudmap.zones, pace.propagation)
        self.plane: DataPlane | None = None
        self.server: dns.Server | None = None
        self._published: list[Envelope] = []

    @classmethod
    @contextmanager
    def virtual(  # noqa: PLR0913 - each has a default, and tests turn one or two
        cls,
        *,
        pace: Pace = FAST,
        manners: Manners | None = None,
        seed: int = 0,
        deploy: bool = True,
        parameters: Mapping[str, str] | None = None,
        ipv6: bool = False,
    ) -> Iterator[Farm]:
        """A farm on virtual time: nothing happens but in `run_for`, `run_until` and `settle`."""
        timeline = Timeline()
        _prepare(timeline, seed)
        with mock_aws(), ExitStack() as exits:
            farm = cls(timeline, pace=pace, manners=manners or Manners.calm())
            farm._open(exits, deploy=deploy, parameters=parameters or {}, ipv6=ipv6)
            yield farm

    @classmethod
    @contextmanager
    def wall(  # noqa: PLR0913 - each has a default
        cls,
        *,
        pace: Pace = DEMO,
        manners: Manners | None = None,
        seed: int = 0,
        deploy: bool = True,
        parameters: Mapping[str, str] | None = None,
        ipv6: bool = False,
        port: int = 0,
        dns_port: int = 0,
    ) -> Iterator[Farm]:
        """A farm on the clock, with an endpoint, a name server and tasks that answer. OSError if a port is in use."""
        timeline = WallTimeline()
        _prepare(timeline, seed)
        with ExitStack() as exits:
            host, bound = _serve(exits, port)
            farm = cls(
                timeline, pace=pace, manners=manners or Manners(seed=seed), endpoint=f"http://{host}:{bound}"
            )
            farm._connect(exits, dns_port)
            farm._open(exits, deploy=deploy, parameters=parameters or {}, ipv6=ipv6)
            timeline.start()
            exits.callback(timeline.stop)
            yield farm

    def _connect(self, exits: ExitStack, dns_port: int) -> None:
        """The network that clients see."""
        self.server = dns.Server(self.names.zones, port=dns_port)
        self.server.start()
        exits.callback(self.server.stop)
        self.plane = DataPlane()
        self.plane.start()
        exits.callback(self.plane.stop)
        self.living.followers.append(self.plane.follow)

    def _open(self, exits: ExitStack, *, deploy: bool, parameters: Mapping[str, str], ipv6: bool) -> None:
        cloudmap.settings().operation_seconds = self.pace.operation
        cloudmap.settings().changed = self.names.changed
        GATE.observers += [self.living.observe, self.trail.observe]
        exits.callback(GATE.reset)
        self.network = seed.network(self.ec2, ipv6=ipv6)
        self.ecs.create_cluster(clusterName=self.cluster)
        self._listen_for_published()

    def run_for(self, seconds: float) -> None:
        self.timeline.run_for(seconds)

    def run_until(self, reached: Callable[[], bool], *, limit: float = 600) -> bool:
        return self.timeline.run_until(reached, limit=limit)

    def add_host(self, *, public: bool = True) -> str:
        """A container instance joins the cluster, so that tasks of launch type EC2 have a place. Its ARN."""
        subnet = (self.network.public if public else self.network.private)[0]
        host = add_host(self.cluster, subnet, public=public)
        self.living.host_came()
        return str(host.container_instance_arn)

    def kill(self, task: str) -> None:
        """The task dies without warning."""
        self.living.kill(task)

    def resolve(self, name: str, kind: str = "A") -> list[str]:
        """What the name servers hold for a name now: all of it, sorted; a client is told eight at most."""
        found = dns.look_up(name, kind, self.names.zones())
        return sorted(found.values) if found else []

    def calls(self, service: str = "", operation: str = "", caller: str = "") -> list[Call]:
        """The calls that passed the gate, narrowed to those of a service, an operation, a caller."""
        return [
            call
            for call in GATE.calls
            if service in {"", call.service}
            and operation in {"", call.operation}
            and caller in {"", call.caller}
        ]

    def published(self, detail_type: str = "") -> list[Envelope]:
        """The events that the product has published so far."""
        sqs = self.client("sqs")
        url = sqs.get_queue_url(QueueName=_PUBLISHED)["QueueUrl"]
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                self._published.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [event for event in self._published if detail_type in {"", event["detail-type"]}]

    def _listen_for_published(self) -> None:
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{_PUBLISHED}"
        self.client("sqs").create_queue(QueueName=_PUBLISHED)
        bus = self.client("events")
        bus.put_rule(Name=_PUBLISHED, EventPattern=json.dumps({"source": ["ecs-expose"]}))
        bus.put_targets(Rule=_PUBLISHED, Targets=[{"Id": "queue", "Arn": arn}])


def _prepare(timeline: Timeline, seed: int) -> None:
    os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    mend(timeline)
    mock_random.seed(seed)
    GATE.reset()


def _serve(exits: ExitStack, port: int) -> tuple[str, int]:
    """Moto's server. It would die unseen in its own thread if the port were in use, so that is tried first."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
    server.start()
    exits.callback(server.stop)
    host, bound = server.get_host_and_port()
    return host, bound
