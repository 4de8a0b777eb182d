"""ecs-expose: tag an Amazon ECS service and it is reachable.

How a tag becomes a way in, from the edge to AWS:

    events       what happened, turned into the name of a service to look at
    tags         what the service's tags ask for: exposures
    mechanisms   the resources that an exposure needs, decided without touching AWS
    plan         what to create, update and delete
    policy       what may be done, and which tasks are ready
    controller   reads, plans, claims, applies, records
    resources    one adapter for each kind of resource in AWS
    ledger       what we own, remembered
    trail        which public address was whose
"""
