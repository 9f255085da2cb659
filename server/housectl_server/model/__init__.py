"""The served model: reads rows, and predicts them in batches."""
