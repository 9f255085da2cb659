"""The service of the algorithm `housectl`: Katib asks it over gRPC which trials to run next."""
