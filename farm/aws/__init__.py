"""Moto, made to behave as AWS does: one module per AWS service, each with `mend()`, which patches moto in place.

`mend(timeline)` comes before any use of moto. Whatever a mend remembers lives on moto's own models, so that leaving
`mock_aws` forgets it; the clock that all mends share is `clock`.
"""

from __future__ import annotations

import functools
import importlib
import threading
from collections.abc import Callable

import botocore.session
from moto.kms import models as kms

from farm.aws import clock
from farm.timeline import Timeline

ACCOUNT = "123456789012"
REGION = "eu-west-1"

ONE_AT_A_TIME = threading.RLock()
"""Moto's models know nothing of threads: whoever touches them in a farm that runs on the wall clock holds this."""

MENDED = (
    "aws.acm",
    "aws.apigateway",
    "aws.cloudformation",
    "aws.cloudmap",
    "aws.ec2",
    "aws.ecs",
    "aws.elb",
    "aws.events",
    "aws.restapis",
    "aws.route53",
    "aws.sqs",
    "aws.ssm",
    "aws.tagging",
    "copies",
    "gate",
)


def mend(timeline: Timeline) -> None:
    """Put moto right, once per process, and let it live on this timeline from now on."""
    clock.use(timeline)
    _mend_once()


def later(seconds: float, action: Callable[[], object]) -> None:
    """Something that AWS does in its own time, at once if that is none."""

    def alone() -> None:
        with ONE_AT_A_TIME:
            action()

    if seconds <= 0:
        action()
    else:
        clock.after(seconds, alone)


@functools.cache
def _mend_once() -> None:
    """Every farm makes sessions of its own, which would all read AWS's models again, and tables, each with a key to make."""
    botocore.session.create_loader = functools.cache(botocore.session.create_loader)
    kms.generate_private_key = functools.cache(kms.generate_private_key)
    for name in MENDED:
        importlib.import_module(f"farm.{name}").mend()
