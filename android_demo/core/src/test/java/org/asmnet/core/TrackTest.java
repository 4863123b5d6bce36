package org.asmnet.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is known of a face: where it should be, how it looks, whether it is another's. */
class TrackTest {
    /** A face of two landmarks, the corners of its box. */
    private static Track.Observation seen(double x, double y, double side, double phase) {
        Track.Observation seen = new Track.Observation(2);
        float[] corners = {(float) (x - side / 2), (float) (y - side / 2),
            (float) (x + side / 2), (float) (y + side / 2)};
        System.arraycopy(corners, 0, seen.face.landmarks, 0, 4);
        // Waves of unit variance: those of two phases correlate by the cosine between them.
        for (int i = 0; i < seen.thumbnail.length; i++) {
            seen.thumbnail[i] = (float) (Math.sqrt(2) * Math.cos(Math.PI * i / 8 + phase));
        }
        return seen;
    }

    private static boolean isSeenAgain(Track track, Track.Observation now, double t) {
        return track.isSeenAgain(now, now.face.box(new double[4]), t);
    }

    @ParameterizedTest
    @CsvSource({
        // Alike: less than half a side from where it was.
        "0, 0, 80, 1, true", "39, 0, 80, 1, true", "0, -39, 80, 1, true", "-39, 39, 80, 0.75, true",
        "40, 0, 80, 1, false", "0, 40, 80, 1, false", "-41, 0, 80, 1, false",
        // Not alike: less than a quarter.
        "19, 0, 80, 0.65, true", "0, -19, 80, 0.25, true",
        "20, 0, 80, 0.65, false", "0, 20, 80, 0.25, false", "0, 0, 80, 0.15, false",
        // About as large as before.
        "0, 0, 99, 1, true", "0, 0, 100, 1, false", "0, 0, 65, 1, true", "0, 0, 64, 1, false"})
    void aLostFaceIsKnownByPlaceLooksAndSize(
            double dx, double dy, double side, double alike, boolean known) {
        Track lost = new Track(0, Scheme.IBUG68, seen(200, 300, 80, 0), 0, 0.9);
        Track.Observation now = seen(200 + dx, 300 + dy, side, Math.acos(alike));
        assertEquals(known, isSeenAgain(lost, now, 0.5));
    }

    @Test
    void aLostFaceIsLookedForWhereItWent() {
        Track lost = new Track(0, Scheme.IBUG68, seen(200, 300, 64, 0), 0, 0.9);
        lost.velocityX = 100;
        lost.velocityY = -200;
        lost.time = 3;
        lost.snapshot();
        assertTrue(isSeenAgain(lost, seen(250, 200, 64, 0), 3.5));
        assertFalse(isSeenAgain(lost, seen(200, 300, 64, 0), 3.5));
        assertFalse(isSeenAgain(lost, seen(250, 300, 64, 0), 3.5));
    }

    @Test
    void aTrackKnowsAllOfItsFirstSight() {
        Track.Observation seen = seen(200, 300, 64, 0);
        seen.face.pose[1] = 12;
        seen.nextCrop.set(200, 300, 80, 0);
        Track track = new Track(7, Scheme.IBUG68, seen, 5, 0.9);
        seen.face.pose[1] = 0;
        seen.nextCrop.set(0, 0, 0, 0);
        seen.thumbnail[0] = 0;
        assertEquals(7, track.id());
        assertEquals(12, track.smooth(5, 1.25).pose[1]);
        assertEquals(0.9, track.shown.score);
        assertEquals(80, track.latest.nextCrop.side);
        assertEquals(80, track.lastConfident.nextCrop.side);
        assertEquals(5, track.verified);
        assertEquals(Math.sqrt(2), track.latest.thumbnail[0], 1e-6);
        assertEquals(Math.sqrt(2), track.verifiedThumbnail[0], 1e-6);
    }

    @Test
    void smoothingMeasuresSpeedInSidesOfTheFace() {
        // The same face at twice the size; and in a crop with twice the margin.
        double moved = smoothed(64, 80, 1.25, 1);
        assertTrue(0 < moved && moved < 1, "late by a part of the way");
        assertEquals(2 * moved, smoothed(128, 160, 1.25, 2), 1e-4);
        assertEquals(moved, smoothed(64, 160, 2.5, 1), 1e-4);
    }

    /** How far a face is shown to move that moves by so many pixels. */
    private static double smoothed(double side, double crop, double margin, double by) {
        Track.Observation before = seen(0, 0, side, 0);
        before.face.crop.side = crop;
        Track track = new Track(0, Scheme.IBUG68, before, 0, 0.9);
        track.smooth(0, margin);
        Track.Observation after = seen(by, 0, side, 0);
        after.face.crop.side = crop;
        track.latest.set(after);
        Face shown = track.smooth(0.04, margin);
        return shown.landmarks[0] - before.face.landmarks[0];
    }

    @ParameterizedTest
    @CsvSource({"0.3, true", "0.3333, true", "0.34, false"})
    void aBoxIsAnothersIfTheyOverlap(double least, boolean overlaps) {
        Track track = new Track(0, Scheme.IBUG68, seen(50, 50, 20, 0), 0, 0.9);
        double[] halfBeside = {50, 40, 70, 60}; // a third of both together
        assertEquals(overlaps, Track.overlaps(halfBeside, List.of(track), null, least));
        assertFalse(Track.overlaps(halfBeside, List.of(track), track, least));
        assertFalse(Track.overlaps(halfBeside, List.of(), null, least));
    }

    @Test
    void boxesThatOnlyTouchDoNotOverlap() {
        Track track = new Track(0, Scheme.IBUG68, seen(50, 50, 20, 0), 0, 0.9);
        assertFalse(Track.overlaps(new double[] {60, 40, 80, 60}, List.of(track), null, 0));
        assertTrue(Track.overlaps(new double[] {59, 40, 79, 60}, List.of(track), null, 0));
        assertFalse(Track.overlaps(new double[] {60, 60, 80, 80}, List.of(track), null, 0));
    }
}
