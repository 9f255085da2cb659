"""The search: who chooses which trial, as pure functions that every backend shares."""
