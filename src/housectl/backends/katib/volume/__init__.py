"""Files on the PVC, and the pods that reach them."""
