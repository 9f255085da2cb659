"""An API server in a process of its own, with the objects of long searches."""
