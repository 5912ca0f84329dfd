"""Acting: bringing one action about on the real part that it concerns, and waiting until that part says so."""
