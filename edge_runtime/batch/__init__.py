"""`asmnet-batch`: many videos and pictures, each to a table of its own, and one summary."""
