package org.asmnet.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JsonTest {
    private static final String ALL = "{\"a\": [1, -0.5e+3, 10.25E-2, 0, []],\n"
            + "\t\"b\": {\"c\": null, \"d\": true, \"e\": false, \"f\": {}, \"g\": \"\"}, "
            + "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20AC\": \"a b\"}\r";

    @Test
    void allThatJsonCanSay() {
        Map<String, Object> inner = new HashMap<>();
        inner.put("c", null);
        inner.put("d", true);
        inner.put("e", false);
        inner.put("f", Map.of());
        inner.put("g", "");
        Map<String, Object> expected = Map.of(
                "a", Arrays.asList(1.0, -500.0, 0.1025, 0.0, List.of()),
                "b", inner,
                "\"\\/\b\f\n\r\t\u00e9\u20ac", "a b");
        assertEquals(expected, Json.parse(ALL));
    }

    @ParameterizedTest
    @ValueSource(strings = {"7", "\"x\"", "[[2]]", " true "})
    void aDocumentMayBeAnyValue(String text) {
        Object value = Json.parse(text);
        assertEquals(text.trim(), value instanceof Double ? "7" : value instanceof List ? "[[2]]"
                : value instanceof String ? "\"x\"" : value.toString());
        assertNull(Json.parse("null"));
    }

    @Test
    void everyTruncationIsOneSentence() {
        for (int length = 0; length < ALL.trim().length(); length++) {
            String text = ALL.substring(0, length);
            String message = assertThrows(AsmnetException.class, () -> Json.parse(text))
                    .getMessage();
            assertTrue(message.matches("not JSON: expected .* at character \\d+, found (.*)"),
                    message);
        }
    }

    @Test
    void bracketsMayNestALittle() {
        Json.parse("[".repeat(65) + "]".repeat(65));
        String deep = "[".repeat(65) + "1" + "]".repeat(65);
        String message = assertThrows(AsmnetException.class, () -> Json.parse(deep)).getMessage();
        assertEquals("not JSON: expected at most 64 levels at character 65, found '1'", message);
    }

    @ParameterizedTest
    @CsvSource(quoteCharacter = '`', value = {
        "[1 2], ']' at character 3; found '2'",
        "{\"a\" 1}, ':' at character 5; found '1'",
        "{1: 2}, '\"' at character 1; found '1'",
        "truth, a value at character 0; found 't'",
        "-, a value at character 1; found the end",
        "\"x, '\"' at character 2; found the end",
        "1.5.2, nothing more at character 3; found '.'",
        "\"\u001f\", no control character in a string at character 1; found '\u001f'",
        "\"\\a\", an escape at character 2; found 'a'",
        "\"\\u12g4\", four hexadecimal digits at character 5; found 'g'",
        "\"\\ud83d\", no half of a surrogate pair in a string at character 8; found the end",
    })
    void anErrorTellsWhatWasExpectedAndWhere(String text, String expected) {
        String message = assertThrows(AsmnetException.class, () -> Json.parse(text)).getMessage();
        assertEquals("not JSON: expected " + expected.replace(';', ','), message);
    }
}
