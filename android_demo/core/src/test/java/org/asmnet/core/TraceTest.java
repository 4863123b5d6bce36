package org.asmnet.core;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Records of frames as lines of text. */
class TraceTest {
    @Test
    void aRecordIsWholeWhenItIsFlushed() throws IOException {
        List<String> flushed = new ArrayList<>();
        StringWriter out = new StringWriter() {
            @Override
            public void flush() {
                flushed.add(toString());
            }
        };
        Trace trace = new Trace(out, "camera");
        trace.write(0, 0, 4, 3, List.of());
        trace.write(1, 1, 4, 3, List.of(new Face(68)), 5, 0);
        String[] lines = out.toString().split("(?<=\n)");
        assertEquals(2, lines.length);
        assertEquals(List.of(lines[0], lines[0] + lines[1]), flushed);
    }

    @Test
    void aSourcesNameIsEscapedWhereJsonAsksForIt() throws IOException {
        StringWriter out = new StringWriter();
        String name = "a ~\"\\\b\t\n\f\r\u001f\u007f\u00e9\ud83d\ude00";
        new Trace(out, name).write(0, 0, 4, 3, List.of());
        String escaped = "a ~\\\"\\\\\\b\\t\\n\\f\\r\\u001f\\u007f\\u00e9\\ud83d\\ude00";
        assertEquals(escaped, out.toString().split("\"source\":\"|\",\"size\"")[1]);
    }

    @ParameterizedTest
    @CsvSource({"0, 0.0", "-0.0, -0.0", "12, 12.0", "0.25, 0.25", "0.06, 0.06", "1.00004, 1.0",
        "0.00004, 0.0", "0.00006, 0.0001", "-3.5, -3.5", "99.99996, 100.0"})
    void timesHaveTheFewestDecimals(double t, String written) throws IOException {
        StringWriter out = new StringWriter();
        new Trace(out, "camera").write(0, t, 4, 3, List.of());
        assertEquals(written, out.toString().split("\"t\":|,\"source\"")[1]);
    }
}
