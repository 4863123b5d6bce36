package org.asmnet.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A face that blinks, winks, sleeps, speaks and yawns: see {@code golden/face_signals.py}. */
class SignalTrackerTest {
    @ParameterizedTest
    @ValueSource(strings = {"ibug68", "wflw98"})
    void eyesMouthAndEventsAreThoseOfPython(String name) {
        String key = "signals/" + name + "/";
        Scheme scheme = Scheme.of(name);
        float[] landmarks = Golden.floats(key + "landmarks");
        double[] scales = Golden.doubles(key + "scales");
        double[] times = Golden.doubles(key + "times");
        double[] eyes = Golden.doubles(key + "eyes");
        double[] mouths = Golden.doubles(key + "mouths");
        SignalTracker tracker = new SignalTracker(scheme);
        Face face = new Face(scheme.count);
        List<String> events = new ArrayList<>();
        for (int n = 0; n < times.length; n++) {
            System.arraycopy(landmarks, n * face.landmarks.length, face.landmarks, 0,
                    face.landmarks.length);
            tracker.update(face.landmarks, scales[n], times[n], face);
            String when = "frame " + n;
            assertEquals(eyes[2 * n], face.eyes[0], 1e-9, when);
            assertEquals(eyes[2 * n + 1], face.eyes[1], 1e-9, when);
            assertEquals(mouths[n], face.mouth, 1e-9, when);
            for (Event event : face.events) {
                events.add(Arrays.toString(
                        new double[] {n, event.kind.ordinal(), event.start, event.end}));
            }
        }
        List<String> expected = new ArrayList<>();
        for (int n = 0; n < Golden.shape(key + "events")[0]; n++) {
            expected.add(Arrays.toString(Golden.doubles(key + "events", n)));
        }
        assertEquals(expected, events);
        assertTrue(events.size() > 4, "the series has events");
    }

    @ParameterizedTest
    @CsvSource({"0.1, BLINK", "0.6, BLINK", "0.61, ", "3, "})
    void aBlinkLastsSixTenthsOfASecondAtMost(double seconds, Event.Kind kind) {
        SignalTracker tracker = new SignalTracker(Scheme.IBUG68);
        assertEquals(List.of(), seen(tracker, -1, 10, 0));
        assertEquals(List.of(), seen(tracker, 0, 2, 0));
        assertEquals(kind == null ? List.of() : List.of(kind), seen(tracker, seconds, 10, 0));
        assertEquals(List.of(), seen(tracker, seconds + 0.1, 10, 0));
    }

    @ParameterizedTest
    @CsvSource({"1.49, ", "1.5, YAWN", "5, YAWN"})
    void aYawnLastsASecondAndAHalfAtLeast(double seconds, Event.Kind kind) {
        SignalTracker tracker = new SignalTracker(Scheme.IBUG68);
        assertEquals(List.of(), seen(tracker, -1, 10, 0));
        assertEquals(List.of(), seen(tracker, 0, 10, 40));
        assertEquals(kind == null ? List.of() : List.of(kind), seen(tracker, seconds, 10, 0));
        assertEquals(List.of(), seen(tracker, seconds + 0.1, 10, 0));
    }

    @ParameterizedTest
    @CsvSource({"24, false", "24.1, true"}) // of 40 mm
    void aMouthYawnsIfItIsMoreThanThreeFifthsAsTallAsWide(float height, boolean yawns) {
        SignalTracker tracker = new SignalTracker(Scheme.IBUG68);
        seen(tracker, 0, 10, height);
        assertEquals(yawns ? 1 : 0, seen(tracker, 2, 10, 0).size());
    }

    @ParameterizedTest
    @CsvSource({"18, 0", "17.9, 1"})
    void aYawnEndsWhenTheMouthIsLessThanNineTwentiethsAsTallAsWide(float height, int events) {
        SignalTracker tracker = new SignalTracker(Scheme.IBUG68);
        seen(tracker, 0, 10, 40);
        assertEquals(events, seen(tracker, 2, 10, height).size());
    }

    @ParameterizedTest
    @CsvSource({"7.5, 0", "7.4, 1"})
    void eyesAreShutBelowHalfOfTheirRange(float gap, int blinks) {
        SignalTracker tracker = new SignalTracker(Scheme.IBUG68);
        seen(tracker, 0, 10, 0); // closed at 5 mm, until they are seen otherwise
        seen(tracker, 0, gap, 0);
        assertEquals(blinks, seen(tracker, 0, 10, 0).size());
    }

    @ParameterizedTest
    @CsvSource({"8.25, 0", "8.26, 1"})
    void eyesAreOpenAgainAboveThirteenTwentiethsOfTheirRange(float gap, int blinks) {
        SignalTracker tracker = new SignalTracker(Scheme.IBUG68);
        seen(tracker, 0, 10, 0); // closed at 5 mm
        seen(tracker, 0, 5, 0);
        assertEquals(blinks, seen(tracker, 0, gap, 0).size());
    }

    /** What ends when lids and inner lips are so many mm apart, at a pixel a millimetre. */
    private static List<Event.Kind> seen(
            SignalTracker tracker, double t, float lids, float lips) {
        Face face = new Face(68);
        for (int upper : new int[] {37, 38, 43, 44}) {
            face.landmarks[2 * upper + 1] = lids;
        }
        face.landmarks[2 * 64] = 40;
        face.landmarks[2 * 66 + 1] = lips;
        tracker.update(face.landmarks, 1, t, face);
        return face.events.stream().map(event -> event.kind).collect(Collectors.toList());
    }
}
