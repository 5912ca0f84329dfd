"""Which replica leads, and that no other writes."""
