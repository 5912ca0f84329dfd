"""Routes as objects of the Gateway API: what they say, how far a plan can be said so, and what their Gateway tells."""
