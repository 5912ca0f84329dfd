"""Placement for whole fleets: one form of arrays, and the engines that read it."""
