"""An OTLP/HTTP receiver for traces, and what is read from the spans of Triton servers and of applications."""
