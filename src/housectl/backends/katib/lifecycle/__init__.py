"""Create, stop and resume experiments on a cluster."""
