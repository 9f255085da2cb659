"""A check of the project's English: banned words, long sentences, docstring openings."""
