"""Load balancers that carry traffic: what `farm.aws.elb` says there is, on the wire.

`routing` decides where a request goes; `fronts` reads from the account which listeners there are; `serving` opens them
on loopback, `proxy` carries what arrives; `probes` are the health checks' requests; `traffic` measures. Listeners for
UDP are in the control plane only: no datagram is carried.
"""
