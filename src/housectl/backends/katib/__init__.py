"""The Katib backend: Experiments and Jobs on a cluster, their files on one claim."""
