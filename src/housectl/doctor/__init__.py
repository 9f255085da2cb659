"""`housectl doctor`: checks of the machine, the project and the backend, each with a hint.

A new check is a function and an entry in one list: `machine_checks` in this package, or
`doctor_checks` in the package of a backend.
"""
