"""The whole way from a CSV to a verified server, on ten public data sets."""
