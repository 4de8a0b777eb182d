"""How long things take on the farm, in seconds: near to life for the patient, quicker for a demo, at once for tests."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """One duration per thing that AWS takes its time for."""

    schedule: float
    """From a wish (a count changed, a task died) to the service scheduler acting on it."""
    provisioning: float
    pending: float
    activating: float
    healthy: float
    """From RUNNING until a container's health check has passed."""
    decided: float
    """From the decision that a task stops to its first step."""
    deactivating: float
    stopping: float
    """How long containers take to heed SIGTERM, if their stopTimeout lets them."""
    deprovisioning: float
    trail: float
    """Until CloudTrail's and aws.tag's events arrive."""
    operation: float
    """Of Cloud Map."""
    propagation: float
    """Until Route 53's name servers know of a changed record."""
    balancing: float
    """Until a new load balancer is active."""
    registering: float
    """Until a target's registration takes effect."""
    uneven: float
    """Part by which each duration varies, so that tasks do not march in step."""
    linking: float
    """Until a new VPC Link is available."""
    finding: float
    """Until API Gateway asks Cloud Map again for a service's instances."""


REAL = Pace(
    schedule=2.0, provisioning=8.0, pending=12.0, activating=2.0, healthy=10.0,
    decided=1.0, deactivating=1.0, stopping=30.0, deprovisioning=20.0,
    trail=30.0, operation=5.0, propagation=20.0, balancing=120.0,
    registering=2.0, uneven=0.3, linking=180.0, finding=10.0,
)  # fmt: skip
DEMO = Pace(
    schedule=0.3, provisioning=0.6, pending=1.0, activating=0.3, healthy=1.0,
    decided=0.3, deactivating=0.3, stopping=4.0, deprovisioning=1.0,
    trail=0.5, operation=0.4, propagation=0.2, balancing=1.0,
    registering=0.4, uneven=0.3, linking=1.0, finding=0.5,
)  # fmt: skip
FAST = Pace(
    schedule=0.1, provisioning=0.1, pending=0.2, activating=0.1, healthy=0.2,
    decided=0.1, deactivating=0.1, stopping=1.5, deprovisioning=0.2,
    trail=0.1, operation=0.1, propagation=0.0, balancing=0.3,
    registering=0.1, uneven=0.2, linking=0.3, finding=0.2,
)  # fmt: skip
INSTANT = Pace(*([0.0] * 17))

PACES = {"real": REAL, "demo": DEMO, "fast": FAST, "instant": INSTANT}
