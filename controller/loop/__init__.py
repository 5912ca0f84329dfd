"""The loop: read the policy, collect, decide, note it, act, note what came of it; again at every interval."""
