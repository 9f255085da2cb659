"""`housectl run`: tune, promote, wait and verify, each only if its inputs have changed."""
