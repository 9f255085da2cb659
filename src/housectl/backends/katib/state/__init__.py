"""The state of experiments on a cluster: objects, informer, snapshot."""
