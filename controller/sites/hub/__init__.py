"""The controller's side of sites with agents: who may call in, what they get, and what they tell."""
