"""Registration of the algorithm `housectl` in Katib's configuration."""
