"""The choice of each column's type, or of its exclusion, from the column's cells."""
