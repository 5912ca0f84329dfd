"""From a policy and a snapshot to a verified plan and the safe steps to it."""
