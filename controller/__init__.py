"""Deciding and acting: from a policy and a snapshot to a verified plan, and from the plan to a changed fleet."""
