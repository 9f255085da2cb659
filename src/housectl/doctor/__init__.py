"""Checks of the machine, the project and the cluster, each with a hint."""
