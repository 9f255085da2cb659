"""Models of Kubernetes objects; they have only the fields that housectl reads."""
