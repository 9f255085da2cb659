"""A server process that may open few files, and so serves few connections."""

import resource
import sys

from housectl_server.__main__ import main

MAX_FILES = 300

if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (MAX_FILES, MAX_FILES))
    sys.exit(main())
