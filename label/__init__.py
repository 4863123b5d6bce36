"""Pseudo-labels: trained networks label more faces, so that others learn from them."""
