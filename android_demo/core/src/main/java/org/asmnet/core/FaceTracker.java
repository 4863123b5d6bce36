package org.asmnet.core;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import org.asmnet.core.Stopwatch.Stage;

/**
 * Faces followed through a video: detect once, then crop around the last landmarks.
 *
 * <p>The same decisions by the same constants as {@code edge_runtime/tracking/tracker.py}, where
 * each is explained. One thread at a time.
 */
public final class FaceTracker {
    private static final double VERIFY_CORRELATION = 0.9;
    private static final double VERIFY_EVERY = 0.15;
    private static final double VERIFY_ANYHOW = 1.0;
    private static final double NEW_SCORE = 0.7;
    private static final double KEEP_SCORE = 0.45;
    private static final double SURE_SCORE = 0.85;
    private static final double CHECK_ROTATION_DEG = 10.0;
    private static final double MAX_ROTATION_DRIFT = 0.05;
    private static final double DUPLICATE_IOU = 0.6;
    private static final double MAX_LOST_SECONDS = 1.0;
    private static final double RECROP_THRESHOLD = 0.05;
    private static final Comparator<Track> BY_ID = (a, b) -> Integer.compare(a.id(), b.id());

    /** Time of the last {@link #update}, by DETECT, CROP, NETWORK and SMOOTH. */
    public final Stopwatch watch = new Stopwatch();

    private final Landmarker landmarker;
    private final FaceSearch search;
    private final int maxFaces;
    private final boolean smoothing;
    private final HeadPosition head;

    private final SceneCutDetector cuts = new SceneCutDetector();
    private List<Track> tracks = new ArrayList<>();
    private List<Track> alive = new ArrayList<>();
    private final List<Track> lost = new ArrayList<>();
    private final List<Face> answer = new ArrayList<>();
    private int nextId;
    private double time;
    private int width;
    private int height;

    // Kept from call to call.
    private final Track.Observation observation;
    private final Track.Observation rotated;
    private final Crop crop = new Crop();
    private final Crop square = new Crop();
    private final double[] box = new double[4];
    private final double[] oldBox = new double[4];
    private final double[] here = new double[4];
    private double[] places = new double[16];
    private final double[] position = new double[3];

    /** A tracker for a camera of the usual field of view, {@link HeadPosition#FIELD_OF_VIEW}. */
    public FaceTracker(
            Landmarker landmarker, FaceDetector detector, int maxFaces, boolean smoothing) {
        this(landmarker, detector, null, maxFaces, smoothing, HeadPosition.FIELD_OF_VIEW);
    }

    /**
     * A tracker.
     *
     * @param landmarker the landmark network
     * @param detector the detector
     * @param turned finds faces that {@code detector} misses, above all turned ones; null does without
     * @param maxFaces so many at most; cost grows with the faces that are there
     * @param smoothing pass points and pose through One-Euro filters
     * @param fov the camera's field of view, degrees along the picture's longer side, 1 to 170; for
     *     {@link Face#position}
     * @throws AsmnetException the field of view is none
     */
    public FaceTracker(Landmarker landmarker, FaceDetector detector, FaceDetector turned,
            int maxFaces, boolean smoothing, double fov) {
        this.landmarker = landmarker;
        search = new FaceSearch(detector, turned, watch);
        this.maxFaces = maxFaces;
        this.smoothing = smoothing;
        head = new HeadPosition(landmarker.spec.landmarkScheme, fov);
        observation = new Track.Observation(landmarker.spec.landmarkScheme.count);
        rotated = new Track.Observation(landmarker.spec.landmarkScheme.count);
        reset();
    }

    /** Forget all faces: the next frame is the first of another video. */
    public void reset() {
        tracks.clear();
        lost.clear();
        time = Double.NEGATIVE_INFINITY;
        width = 0;
        height = 0;
        cuts.reset();
        search.reset();
    }

    /**
     * Faces in the next frame, oldest track first, smoothed.
     *
     * @param frame upright
     * @param t seconds since any origin; a time before the last frame's, or another picture
     *     size, starts a new video
     * @return the faces; the list and what is in it are valid until the next call
     * @throws AsmnetException the time is no number, or a network answers NaN or the like
     */
    public List<Face> update(Picture frame, double t) {
        if (Double.isNaN(t) || Double.isInfinite(t)) {
            throw new AsmnetException("a frame's time must be a number of seconds, not " + t);
        }
        if (t < time || frame.width != width || frame.height != height) {
            reset();
        }
        watch.clear();
        double gap = t - time;
        time = t;
        width = frame.width;
        height = frame.height;
        if (cuts.isNext(frame) || gap > MAX_LOST_SECONDS) {
            tracks.clear();
            lost.clear();
            search.hurry(t);
        }
        alive.clear();
        for (int i = 0; i < tracks.size(); i++) {
            Track track = tracks.get(i);
            boolean followed = follow(track, frame, t)
                    && !Track.overlaps(track.box(), alive, null, DUPLICATE_IOU);
            (followed ? alive : lost).add(track);
        }
        if (alive.size() < tracks.size()) {
            search.hurry(t);
        }
        List<Track> spare = tracks;
        tracks = alive;
        alive = spare;
        for (int i = lost.size() - 1; i >= 0; i--) {
            if (!(t - lost.get(i).time < MAX_LOST_SECONDS)) {
                lost.remove(i);
            }
        }
        if (tracks.size() < maxFaces && search.isDue(t)) {
            search.begin();
            start(search.look(frame, !tracks.isEmpty()), false, frame, t);
            start(search.lookForTurned(frame, !tracks.isEmpty()), true, frame, t);
            search.end(t, !tracks.isEmpty());
            Collections.sort(tracks, BY_ID);
        }
        answer.clear();
        long start = System.nanoTime();
        for (int i = 0; i < tracks.size(); i++) {
            answer.add(answer(tracks.get(i), t));
        }
        watch.since(start, Stage.SMOOTH);
        return answer;
    }

    /** A track's face, smoothed, with what follows from its landmarks and pose. */
    private Face answer(Track track, double t) {
        Face raw = track.latest.face;
        Face face = smoothing ? track.smooth(t, landmarker.spec.margin) : raw;
        head.locate(face.landmarks, face.pose, width, height, position);
        for (int i = 0; i < 3; i++) {
            face.position[i] = (float) position[i];
        }
        double scale = head.focalLength(width, height) / Math.max(position[2], 1.0);
        track.signals.update(raw.landmarks, scale, t, face); // filters would flatten a blink
        return face;
    }

    /** Find a track's face in the next frame; false if it is gone. */
    private boolean follow(Track track, Picture frame, double t) {
        Track.Observation old = track.latest;
        double step = t - track.time;
        // Where the face should be by now; without it quick faces slide out of their crops.
        crop.set(old.nextCrop);
        crop.cx += track.velocityX * Math.min(step, 0.1);
        crop.cy += track.velocityY * Math.min(step, 0.1);
        locate(frame, crop);
        double alike = Association.correlation(observation.thumbnail, old.thumbnail);
        boolean doubtful = alike < Association.MIN_CORRELATION || Association.suspicious(
                old.face.box(oldBox), observation.face.box(box), width, height);
        boolean changed = track.missed
                || Association.correlation(observation.thumbnail, track.verifiedThumbnail)
                        < VERIFY_CORRELATION;
        if (doubtful || t - track.verified >= (changed ? VERIFY_EVERY : VERIFY_ANYHOW)) {
            Detection found = search.near(frame, observation.face.box(box),
                    doubtful ? NEW_SCORE : KEEP_SCORE, track.turned, tracks, track);
            if (found == null || !isFace(found, frame)) {
                if (doubtful || track.missed) {
                    return false;
                }
                track.missed = true;
                track.turned = !track.turned;
            } else {
                track.verified = t;
                track.missed = false;
                track.detectorScore = found.score;
                Association.squareBox(found.toCrop(1.0, square), here);
                if (FaceDetector.iou(here, box) < 0.5) {
                    locate(frame, detected(found));
                    alike = 1.0;
                }
                System.arraycopy(observation.thumbnail, 0, track.verifiedThumbnail, 0,
                        observation.thumbnail.length);
                changed = false;
            }
        }
        if (step > 0) {
            double x = 0;
            double y = 0;
            int count = observation.face.landmarks.length;
            for (int i = 0; i < count; i += 2) {
                x += observation.face.landmarks[i] - old.face.landmarks[i];
                y += observation.face.landmarks[i + 1] - old.face.landmarks[i + 1];
            }
            track.velocityX = x / (count / 2) / step;
            track.velocityY = y / (count / 2) / step;
        }
        observation.face.id = track.id();
        observation.face.score = track.detectorScore * Math.min(Math.max(alike, 0.0), 1.0);
        track.latest.set(observation);
        track.time = t;
        if (!changed && !Track.overlaps(track.box(), tracks, track, 0.0)) {
            track.snapshot();
        }
        return true;
    }

    /** Whether this is a face: by the detector's score, or by points that bear a rotation. */
    private boolean isFace(Detection found, Picture frame) {
        if (found.score >= SURE_SCORE) {
            return true;
        }
        crop.set(observation.nextCrop);
        crop.angle += CHECK_ROTATION_DEG;
        locateOnce(frame, crop, rotated);
        float[] points = observation.face.landmarks;
        float[] again = rotated.face.landmarks;
        double moved = 0;
        for (int i = 0; i < points.length; i += 2) {
            double x = again[i] - points[i];
            double y = again[i + 1] - points[i + 1];
            moved += Math.sqrt(x * x + y * y);
        }
        return moved / (points.length / 2)
                < MAX_ROTATION_DRIFT * observation.nextCrop.side / landmarker.spec.margin;
    }

    /** Start tracks for those of the faces just found that none has yet. */
    private void start(int found, boolean asTurned, Picture frame, double t) {
        // Searching close up overwrites the detector's answer.
        if (places.length < 4 * found) {
            places = new double[4 * found];
        }
        for (int i = 0; i < found; i++) {
            Association.squareBox(search.get(i).toCrop(1.0, square), box);
            System.arraycopy(box, 0, places, 4 * i, 4);
        }
        for (int i = 0; i < found && tracks.size() < maxFaces; i++) {
            System.arraycopy(places, 4 * i, box, 0, 4);
            if (Track.overlaps(box, tracks, null, 0.3)) {
                continue;
            }
            // Once more, close up: a better box, and no confirmation for what is no face.
            Detection close = search.near(frame, box, NEW_SCORE, asTurned, tracks, null);
            if (close == null) {
                continue;
            }
            locate(frame, detected(close));
            if (isFace(close, frame)) {
                // A track of its own even for a face that is remembered: its filters start anew.
                Track track = new Track(reidentify(t), landmarker.spec.landmarkScheme, observation, t,
                        close.score);
                track.turned = asTurned;
                tracks.add(track);
            }
        }
    }

    /** The id of a face that was lost a moment ago, if this is it; else a new one. */
    private int reidentify(double t) {
        observation.face.box(box);
        for (int i = 0; i < lost.size(); i++) {
            if (lost.get(i).isSeenAgain(observation, box, t)) {
                return lost.remove(i).id();
            }
        }
        return nextId++;
    }

    private Crop detected(Detection found) {
        return found.toCrop(landmarker.spec.margin, crop);
    }

    /** The face in a crop; cropped once more around what was found if the crop sits badly. */
    private void locate(Picture frame, Crop where) {
        locateOnce(frame, where, observation);
        Crop better = observation.nextCrop;
        double shift = Math.max(Math.abs(better.cx - where.cx), Math.abs(better.cy - where.cy))
                / where.side;
        double growth = better.side / where.side;
        if (shift > RECROP_THRESHOLD || !(1 - 2 * RECROP_THRESHOLD < growth && growth < 1 + 2 * RECROP_THRESHOLD)) {
            locateOnce(frame, square.set(better), observation);
        }
    }

    private void locateOnce(Picture frame, Crop where, Track.Observation result) {
        ModelSpec spec = landmarker.spec;
        long start = System.nanoTime();
        landmarker.crop(frame, where);
        Association.thumbnail(landmarker.pixels(), spec.inputSize, result.thumbnail);
        start = watch.since(start, Stage.CROP);
        landmarker.infer(where, result.face);
        watch.since(start, Stage.NETWORK);
        result.nextCrop.next(result.face.landmarks, spec.margin);
    }
}
