"""A small Kubernetes client: requests, watches, exec, and models of objects."""
