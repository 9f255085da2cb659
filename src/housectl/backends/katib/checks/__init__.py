"""Whether a cluster can take a search: a module for each thing that it needs.

What begins with `require` is asked before each submission, and fails if nothing would come of it.
What begins with `check` is asked by doctor: it returns what it found, raises a Concern for what
stops nothing, or fails as a submission would.
"""
