"""Quantization-aware fine-tuning with tfmot, which knows Keras 2 networks only."""
