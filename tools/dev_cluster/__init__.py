"""The Kubernetes cluster of tests and benchmarks."""
