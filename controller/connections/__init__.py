"""Where the real parts of a fleet are, by one document that names no policy."""
