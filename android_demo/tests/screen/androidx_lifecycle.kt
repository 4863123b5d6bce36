// Robolectric talks to AndroidX Test, which Google's Maven repository alone has.  What it needs
// for drawing an activity is little, and is here and in the other androidx files: nobody listens.
package androidx.test.runner.lifecycle

import android.app.Activity

enum class Stage { PRE_ON_CREATE, CREATED, STARTED, RESUMED, PAUSED, STOPPED, RESTARTED, DESTROYED }

enum class ApplicationStage { PRE_ON_CREATE, CREATED }

interface ActivityLifecycleMonitor {
    fun getActivitiesInStage(stage: Stage): Collection<Activity>
}

interface ApplicationLifecycleMonitor

object ActivityLifecycleMonitorRegistry {
    private lateinit var monitor: ActivityLifecycleMonitor

    @JvmStatic
    fun registerInstance(monitor: ActivityLifecycleMonitor) {
        this.monitor = monitor
    }

    @JvmStatic
    fun getInstance() = monitor
}

object ApplicationLifecycleMonitorRegistry {
    @JvmStatic
    fun registerInstance(@Suppress("UNUSED_PARAMETER") monitor: ApplicationLifecycleMonitor) = Unit
}
