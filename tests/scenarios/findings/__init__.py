"""What is promised and does not hold today: one scenario for each finding, to fail until the finding is mended."""
