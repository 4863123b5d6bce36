package org.asmnet.jvm;

import java.util.ArrayList;
import java.util.List;
import org.asmnet.core.InputTensor;
import org.asmnet.core.Interpreter;

/** A network that remembers its answers once, and then gives them again at no cost. */
final class Replay implements Interpreter {
    private final TfliteInterpreter network;
    private final List<String> names;
    private final List<float[][]> answers = new ArrayList<>();
    private boolean recording = true;
    private int runs;

    Replay(TfliteInterpreter network) {
        this.network = network;
        names = network.outputs();
    }

    /** From now on the answers come from memory, beginning with the first one. */
    void rewind() {
        if (runs != answers.size()) {
            throw new IllegalStateException(
                    "the network ran " + runs + " times, at first " + answers.size());
        }
        recording = false;
        runs = 0;
    }

    /** Count a run; whether the network is to do it. */
    private boolean isNew() {
        runs++;
        return recording;
    }

    private void remember() {
        float[][] answer = new float[names.size()][];
        for (int i = 0; i < answer.length; i++) {
            answer[i] = new float[network.count(names.get(i))];
            network.output(names.get(i), answer[i]);
        }
        answers.add(answer);
    }

    @Override
    public void run(float[] input) {
        if (isNew()) {
            network.run(input);
            remember();
        }
    }

    @Override
    public void run(byte[] input) {
        if (isNew()) {
            network.run(input);
            remember();
        }
    }

    @Override
    public void output(String name, float[] values) {
        float[] answer = answers.get(runs - 1)[names.indexOf(name)];
        System.arraycopy(answer, 0, values, 0, values.length);
    }

    @Override
    public InputTensor input() {
        return network.input();
    }
}
