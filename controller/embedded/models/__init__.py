"""The networks that the embedded fleet serves, and the model repositories that it serves them from."""
