"""The environment of every test: dummy credentials, one Region, and a clean account on a virtual timeline when asked."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import pytest

os.environ.update(
    AWS_ACCESS_KEY_ID="farm",
    AWS_SECRET_ACCESS_KEY="farm",
    AWS_DEFAULT_REGION="eu-west-1",
    MOTO_EC2_LOAD_DEFAULT_AMIS="false",  # 0.4 s per process for images that nobody starts
)
os.environ.pop("AWS_ENDPOINT_URL", None)

from moto import mock_aws

from farm.aws import mend
from farm.gate import GATE
from farm.timeline import Timeline

gc.set_threshold(50_000, 20, 100)  # AWS's models are a large heap that never becomes garbage


@pytest.fixture
def timeline() -> Iterator[Timeline]:
    """An empty account in process, in which time passes only when the test lets it."""
    timeline = Timeline()
    mend(timeline)
    GATE.reset()
    with mock_aws():
        yield timeline
    GATE.reset()
