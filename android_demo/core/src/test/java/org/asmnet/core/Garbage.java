package org.asmnet.core;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.function.LongSupplier;

/** Counts what this thread allocates. */
final class Garbage {
    private static final ThreadMXBean METER = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final int ROUNDS = 10;

    private Garbage() {}

    /** What is counted. */
    interface Action {
        void run() throws Exception;
    }

    /** Bytes that an action allocates. */
    static long bytes(Action action) {
        long thread = Thread.currentThread().getId();
        long before = METER.getThreadAllocatedBytes(thread);
        try {
            action.run();
        } catch (Exception error) {
            throw new AssertionError(error);
        }
        return METER.getThreadAllocatedBytes(thread) - before;
    }

    /**
     * The least count of several rounds: the virtual machine allocates too, for what runs for the
     * first time and now and then later. Code that makes garbage makes it in every round.
     */
    static long least(LongSupplier round) {
        long least = Long.MAX_VALUE;
        for (int n = 0; n < ROUNDS && least > 0; n++) {
            least = Math.min(least, round.getAsLong());
        }
        return least;
    }
}
