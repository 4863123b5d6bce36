plugins {
    // Named here once, so that all modules share one plugin class loader.
    alias(libs.plugins.android.application) apply false
    alias(libs.plugins.android.library) apply false
}

val asmnet = libs.versions.asmnet.get()

subprojects {
    group = "org.asmnet"
    version = asmnet
}
