"""Plans: the manifests that housectl sends to a cluster, and their validation."""
