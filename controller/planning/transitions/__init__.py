"""The safe way from what runs to a plan: its waves, and what every moment of it has to hold."""
