"""The champion store in a bucket: client, errors, caches, and the commands of its hints."""
