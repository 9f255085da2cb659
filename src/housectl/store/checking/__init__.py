"""`housectl store check`: every file of a store, read and checked."""
