package org.asmnet.demo

import android.content.res.Resources
import android.os.Build
import org.asmnet.android.LiteRtInterpreter.Delegate

/** What computes the landmarks, and with how many threads. */
data class Runner(val delegate: Delegate, val threads: Int)

/** The runners that LiteRT has on every phone, without a further library. */
object Runners {
    /** Those worth a try on this phone. */
    fun all(): List<Runner> {
        val cores = Runtime.getRuntime().availableProcessors()
        val counts = listOf(1, 2, 4).filter { it <= cores }
        val cpu = counts.map { Runner(Delegate.XNNPACK, it) } +
            counts.map { Runner(Delegate.BUILT_IN, it) }
        val nnapi = Build.VERSION.SDK_INT >= Build.VERSION_CODES.O_MR1
        return if (nnapi) cpu + Runner(Delegate.NNAPI, 1) else cpu
    }

    fun name(resources: Resources, runner: Runner): String {
        val name = resources.getString(
            when (runner.delegate) {
                Delegate.XNNPACK -> R.string.runner_xnnpack
                Delegate.BUILT_IN -> R.string.runner_built_in
                Delegate.NNAPI -> R.string.runner_nnapi
            },
        )
        if (runner.delegate == Delegate.NNAPI) return name
        return resources.getQuantityString(
            R.plurals.runner_threads, runner.threads, name, runner.threads,
        )
    }
}
