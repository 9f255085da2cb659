"""Causes of stuck and failed experiments, trials and tasks, each with a hint. Pure.

`experiment`, `trial`, `job` and `pod` hold the lists of probes in their order; the other modules
hold the probes of one source each. A new probe is a function and an entry in one of these lists.
"""
