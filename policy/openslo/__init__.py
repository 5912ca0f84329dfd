"""OpenSLO v1: documents read beside our own, and the policy's objectives written as such."""
