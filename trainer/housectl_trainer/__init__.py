"""The trainer: an inputs directory and an assignment become a trial or a bundle."""
