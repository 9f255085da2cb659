"""The command line: each command parses arguments, calls the public API and shows the result."""

import gc
import os

from housectl.python_process import deprioritize_pythonpath

# A command makes few reference cycles, but by default a search for them takes a tenth of its time.
gc.set_threshold(100_000, 20, 100)

# Otherwise, pydantic looks for plugins in the metadata of every installed package.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

# The modules of this package import the libraries.
deprioritize_pythonpath()
