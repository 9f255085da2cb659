"""Detection of a data file's format: encoding, separator, header, footer and marks of numbers."""
