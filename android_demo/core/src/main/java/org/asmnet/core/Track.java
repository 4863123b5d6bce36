package org.asmnet.core;

import java.util.List;

/** What the tracker knows of a face that it follows. */
final class Track {
    // One-Euro parameters: (minimal cutoff in Hz, beta in Hz per unit of speed); the units are
    // box sides / s for points, 90 degrees / s for the pose (see edge_runtime/tracking/tracks.py).
    static final double[] POINTS_FILTER = {0.5, 50.0};
    static final double[] POSE_FILTER = {1.0, 10.0};

    /** A face as one frame shows it. */
    static final class Observation {
        /** Unsmoothed. */
        final Face face;
        /** 16 x 16 pixels under the face, of zero mean and unit variance. */
        final float[] thumbnail = new float[3 * Association.THUMBNAIL * Association.THUMBNAIL];
        /** The crop around its landmarks, from which the next frame's follows. */
        final Crop nextCrop = new Crop();

        Observation(int count) {
            face = new Face(count);
        }

        void set(Observation other) {
            face.set(other.face);
            System.arraycopy(other.thumbnail, 0, thumbnail, 0, thumbnail.length);
            nextCrop.set(other.nextCrop);
        }
    }

    /** The face at its latest. */
    final Observation latest;
    /** Seconds: of the latest observation, and when the detector last found the face. */
    double time;
    double verified;
    /** The detector's latest score. */
    double detectorScore;
    /** Pixels a second. */
    double velocityX;
    double velocityY;
    /** The thumbnail when the detector last found the face. */
    final float[] verifiedThumbnail;
    /** The detector did not find it when last asked. */
    boolean missed;
    /** The detector of turned faces is the next to be asked. */
    boolean turned;
    /**
     * Observation, time and velocity when nothing spoke against the face and nobody was in front: by
     * these it is known again after something hid it bit by bit.
     */
    final Observation lastConfident;
    double confidentTime;
    double confidentVelocityX;
    double confidentVelocityY;
    /** What is answered: smoothed. */
    final Face shown;

    /** Its eyes and mouth. */
    final SignalTracker signals;

    private final OneEuro points;
    private final OneEuro pose;
    private final double[] box = new double[4];

    Track(int id, Scheme scheme, Observation seen, double time, double score) {
        int count = seen.face.landmarks.length / 2;
        latest = new Observation(count);
        latest.set(seen);
        latest.face.id = id;
        latest.face.score = score;
        this.time = time;
        verified = time;
        detectorScore = score;
        verifiedThumbnail = seen.thumbnail.clone();
        lastConfident = new Observation(count);
        shown = new Face(count);
        signals = new SignalTracker(scheme);
        points = new OneEuro(count, 2, POINTS_FILTER[0], POINTS_FILTER[1]);
        pose = new OneEuro(3, 1, POSE_FILTER[0], POSE_FILTER[1]);
        snapshot();
    }

    int id() {
        return latest.face.id;
    }

    /** (4) left, top, right, bottom of the landmarks; valid until the next call. */
    double[] box() {
        return latest.face.box(box);
    }

    /** Remember the latest observation as a confident one. */
    void snapshot() {
        lastConfident.set(latest);
        confidentTime = time;
        confidentVelocityX = velocityX;
        confidentVelocityY = velocityY;
    }

    /** The face to answer at a time, passed through the filters. */
    Face smooth(double time, double margin) {
        shown.set(latest.face);
        points.filter(shown.landmarks, time, shown.crop.side / margin, shown.landmarks);
        pose.filter(shown.pose, time, 90.0, shown.pose);
        return shown;
    }

    /**
     * Whether what is seen now is this lost face.
     *
     * @param seen the face
     * @param now (4) its box
     * @param t seconds
     */
    boolean isSeenAgain(Observation seen, double[] now, double t) {
        double[] old = lastConfident.face.box(box);
        double size = Math.max((now[2] - now[0] + now[3] - now[1]) / 2, 1e-6);
        double growth = size / Math.max((old[2] - old[0] + old[3] - old[1]) / 2, 1e-6);
        double gap = t - confidentTime;
        double x = (now[0] - old[0] + now[2] - old[2]) / 2 - confidentVelocityX * gap;
        double y = (now[1] - old[1] + now[3] - old[3]) / 2 - confidentVelocityY * gap;
        // Whoever comes out from behind somebody looks different still, but is where he must be.
        double near = Math.max(Math.abs(x), Math.abs(y)) / size;
        double alike = Association.correlation(seen.thumbnail, lastConfident.thumbnail);
        return 1 / Association.MOST_GROWTH < growth && growth < Association.MOST_GROWTH
                && ((near < 0.25 && alike > 0.2)
                        || (near < 0.5 && alike > Association.MIN_CORRELATION));
    }

    /** Whether one of the tracks but `but` holds the face in a box. */
    static boolean overlaps(double[] box, List<Track> tracks, Track but, double least) {
        for (int i = 0; i < tracks.size(); i++) {
            Track other = tracks.get(i);
            if (other != but && FaceDetector.iou(box, other.box()) > least) {
                return true;
            }
        }
        return false;
    }
}
