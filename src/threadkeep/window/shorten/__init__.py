"""What is too large is cut in the view: a pure function of the item and the policy."""
