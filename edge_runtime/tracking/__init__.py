"""From faces in single frames to tracks: association, verification, smoothing."""
