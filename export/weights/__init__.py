"""Weights made ready for 8 bits: pruned, equalized, corrected; the same function as before."""
