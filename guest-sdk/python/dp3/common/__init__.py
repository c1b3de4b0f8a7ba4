"""What modules import."""
