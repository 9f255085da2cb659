"""What housectl is measured by: speed against baselines, and the error of its whole search."""
