package org.asmnet.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
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
}
