"""The command line: each command parses arguments, calls the public API and shows the result."""

from housectl.python_process import deprioritize_pythonpath

# The modules of this package import the libraries.
deprioritize_pythonpath()
