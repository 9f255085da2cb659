"""What a search on a cluster costs whoever waits for it, against what kubectl would need."""
