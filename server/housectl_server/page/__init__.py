"""The page at / for people, and the description of the served model that it shows."""
