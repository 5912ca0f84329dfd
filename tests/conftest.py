"""What every test starts from."""

import signal

# A shell that runs the tests in the background has them, and every process they start, ignore interrupts, and several
# tests are about what an interrupt does.
signal.signal(signal.SIGINT, signal.default_int_handler)
