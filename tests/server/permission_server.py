"""A server whose user needs permissions to read files, even if it is root."""

import os
import sys

from housectl.python_process import module_argv

_COMMAND = [sys.executable, *module_argv("housectl_server"), *sys.argv[1:]]
_WITHOUT_PRIVILEGES = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]

if __name__ == "__main__":
    command = [*(_WITHOUT_PRIVILEGES if os.getuid() == 0 else []), *_COMMAND]
    os.execvp(command[0], command)
