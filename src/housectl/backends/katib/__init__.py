"""The Katib backend: Experiments and Jobs on a cluster, with their files on one PVC."""
