"""The state of experiments and tasks on a cluster: objects, informer, snapshot."""
