"""What an export shows: terminal tables, a page with plots, statistics of its tensors."""
