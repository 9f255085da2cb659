"""The mirror of the history in a Kubeflow Model Registry. The history is the truth."""
