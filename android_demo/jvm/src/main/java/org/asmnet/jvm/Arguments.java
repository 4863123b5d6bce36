package org.asmnet.jvm;

import java.io.IOException;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.asmnet.core.AsmnetException;

/** The options of a command, {@code --name value} each; those that its usage names, no others. */
final class Arguments {
    private static final Pattern OPTION = Pattern.compile("--[a-z]+");

    /** What a command does. */
    interface Command {
        /** Do it. */
        void run(Arguments arguments) throws IOException;
    }

    private final Map<String, String> values = new HashMap<>();

    private Arguments(String usage, String[] words) {
        Set<String> known = new LinkedHashSet<>();
        Matcher matcher = OPTION.matcher(usage);
        while (matcher.find()) {
            known.add(matcher.group());
        }
        for (int i = 0; i < words.length; i += 2) {
            if (!known.contains(words[i])) {
                throw new AsmnetException("'" + words[i] + "' is none of the options "
                        + String.join(", ", known));
            }
            if (i + 1 == words.length) {
                throw new AsmnetException(words[i] + " lacks its value");
            }
            values.put(words[i].substring(2), words[i + 1]);
        }
    }

    /** Run a command; bad input ends the process with one sentence and exit code 2. */
    static void run(String usage, String[] words, Command command) {
        if (words.length == 0 || words[0].equals("--help")) {
            System.out.println(usage);
            return;
        }
        try {
            command.run(new Arguments(usage, words));
        } catch (AsmnetException | IOException error) {
            System.err.println("error: " + error.getMessage());
            System.exit(2);
        }
    }

    /** An option's value; an error if it was not given. */
    String text(String name) {
        if (!values.containsKey(name)) {
            throw new AsmnetException("--" + name + " is missing; give it a value");
        }
        return values.get(name);
    }

    /** An option's value; {@code otherwise} if it was not given. */
    String text(String name, String otherwise) {
        return values.getOrDefault(name, otherwise);
    }

    /** A number of at least {@code least}; {@code otherwise} if it was not given. */
    double number(String name, double otherwise, double least) {
        String text = values.get(name);
        if (text == null) {
            return otherwise;
        }
        try {
            double value = Double.parseDouble(text);
            if (value >= least) {
                return value;
            }
        } catch (NumberFormatException error) {
            // told below
        }
        throw new AsmnetException("--" + name + " " + text + " is no number of at least " + least);
    }

    /** A whole number, see {@link #number}. */
    int integer(String name, int otherwise, int least) {
        double value = number(name, otherwise, least);
        if (value != Math.rint(value) || value > Integer.MAX_VALUE) {
            throw new AsmnetException("--" + name + " " + text(name) + " is no whole number");
        }
        return (int) value;
    }
}
