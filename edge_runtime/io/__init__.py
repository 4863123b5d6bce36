"""Frames in, results out: cameras, files and streams; recordings, datagrams, the live page."""
