package org.asmnet.core;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A strict reader of JSON (RFC 8259): objects become maps, arrays lists, numbers finite doubles.
 *
 * <p>Its own because the JVM brings none, and a library without dependencies fits every app.
 */
final class Json {
    private static final int DEEPEST = 64;

    private final String text;
    private int at;

    private Json(String text) {
        this.text = text;
    }

    /**
     * Parse a whole document.
     *
     * @return Map, List, String, Double, Boolean or null
     * @throws AsmnetException it is not JSON; the message tells where
     */
    static Object parse(String text) {
        Json json = new Json(text);
        Object value = json.value(0);
        json.space();
        if (json.at < text.length()) {
            throw json.error("nothing more");
        }
        return value;
    }

    private AsmnetException error(String expected) {
        String found = at < text.length() ? "'" + text.charAt(at) + "'" : "the end";
        return new AsmnetException(
                "not JSON: expected " + expected + " at character " + at + ", found " + found);
    }

    private void space() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    private boolean take(char c) {
        space();
        boolean there = at < text.length() && text.charAt(at) == c;
        at += there ? 1 : 0;
        return there;
    }

    private void need(char c) {
        if (!take(c)) {
            throw error("'" + c + "'");
        }
    }

    private Object value(int depth) {
        if (depth > DEEPEST) {
            throw error("at most " + DEEPEST + " levels");
        }
        space();
        char c = at < text.length() ? text.charAt(at) : 0;
        switch (c) {
            case '{':
                return object(depth);
            case '[':
                return array(depth);
            case '"':
                return string();
            case 't':
                return word("true", Boolean.TRUE);
            case 'f':
                return word("false", Boolean.FALSE);
            case 'n':
                return word("null", null);
            default:
                return number();
        }
    }

    private Map<String, Object> object(int depth) {
        Map<String, Object> members = new LinkedHashMap<>();
        need('{');
        if (take('}')) {
            return members;
        }
        do {
            space();
            String key = string();
            need(':');
            members.put(key, value(depth + 1));
        } while (take(','));
        need('}');
        return members;
    }

    private List<Object> array(int depth) {
        List<Object> items = new ArrayList<>();
        need('[');
        if (take(']')) {
            return items;
        }
        do {
            items.add(value(depth + 1));
        } while (take(','));
        need(']');
        return items;
    }

    private Object word(String word, Object value) {
        if (!text.startsWith(word, at)) {
            throw error("a value");
        }
        at += word.length();
        return value;
    }

    private String string() {
        if (at >= text.length() || text.charAt(at) != '"') {
            throw error("'\"'");
        }
        at++;
        StringBuilder result = new StringBuilder();
        while (at < text.length() && text.charAt(at) != '"') {
            char c = text.charAt(at);
            if (c < ' ') {
                throw error("no control character in a string");
            }
            at++;
            result.append(c == '\\' ? escaped() : c);
        }
        if (at >= text.length()) {
            throw error("'\"'");
        }
        at++;
        // Half a pair has no encoding: it could be neither written nor shown.
        if (!StandardCharsets.UTF_8.newEncoder().canEncode(result)) {
            throw error("no half of a surrogate pair in a string");
        }
        return result.toString();
    }

    private char escaped() {
        int which = at < text.length() ? "\"\\/bfnrtu".indexOf(text.charAt(at)) : -1;
        if (which < 0) {
            throw error("an escape");
        }
        at++;
        if (which < 8) {
            return "\"\\/\b\f\n\r\t".charAt(which);
        }
        int code = 0;
        for (int i = 0; i < 4; i++, at++) {
            int digit = at < text.length() ? Character.digit(text.charAt(at), 16) : -1;
            if (digit < 0) {
                throw error("four hexadecimal digits");
            }
            code = 16 * code + digit;
        }
        return (char) code;
    }

    private Double number() {
        int start = at;
        digitOf("-");
        if (!digitOf("0")) {
            digits();
        }
        if (digitOf(".")) {
            digits();
        }
        if (digitOf("eE")) {
            digitOf("+-");
            digits();
        }
        String digits = text.substring(start, at);
        Double number = Double.valueOf(digits);
        if (number.isInfinite()) {
            throw new AsmnetException("not JSON: " + digits.substring(0, Math.min(20, at - start))
                    + " is too large a number");
        }
        return number;
    }

    private boolean digitOf(String characters) {
        boolean there = at < text.length() && characters.indexOf(text.charAt(at)) >= 0;
        at += there ? 1 : 0;
        return there;
    }

    private void digits() {
        if (!digitOf("0123456789")) {
            throw error("a value");
        }
        while (digitOf("0123456789")) {}
    }
}
