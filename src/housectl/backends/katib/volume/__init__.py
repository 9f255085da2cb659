"""Upload, download and removal of files on the PVC, through pods that mount it."""
