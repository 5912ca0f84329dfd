"""The embedded fleet: real Triton servers and a real Envoy on this machine, and the traffic that they serve.

Parts with plain-data interfaces; none knows policies, plans or snapshots. Device speed and WAN delay are emulated,
everything else is real: servers, networks, inputs, answers.
"""
