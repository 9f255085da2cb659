"""Why something on a cluster is stuck or has failed, and the command that hints it. Pure."""
