"""What all backends share: deadlines, limits, errors."""
