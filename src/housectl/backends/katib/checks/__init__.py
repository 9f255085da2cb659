"""Checks of the cluster: each for one prerequisite of a search.

A `check_` function is a line of doctor's table. It returns its finding, raises a CheckWarning for a
problem that stops no search, or fails as a submission would. A `require_` function is the part of a
check that also runs before each submission.
"""
