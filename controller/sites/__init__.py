"""Sites whose servers an agent on the spot runs: what it and the controller tell each other, and the latter's side."""
