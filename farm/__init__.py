"""A pocket AWS account on loopback, so that ecs-expose can be run, watched and tested without an account.

Time (`timeline`) drives it. Calls come in through moto, mended in `aws/` and watched by `gate`; `living` is the ECS
that starts and stops tasks; `bus` and `lambdas` carry events and queues to the functions that `deploy` reads out of
template.yaml; `tasks` and `dns` are what a client on the network would meet.
"""
