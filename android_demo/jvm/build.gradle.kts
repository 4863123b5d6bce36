plugins {
    `java-library`
    application
}

tasks.withType<JavaCompile>().configureEach {
    options.release = 11
    options.encoding = "UTF-8"
    // The libraries' manifests name jars that are not there: no such warnings.
    options.compilerArgs.add("-Xlint:all,-path,-classfile,-processing")
}

dependencies {
    api(project(":core"))
    implementation(libs.tensorflow.lite.jvm)
    implementation(libs.javacpp)
    // Of javacpp itself only the small loader is native.
    for (platform in listOf("linux-x86_64", "linux-arm64", "macosx-arm64", "windows-x86_64")) {
        runtimeOnly(variantOf(libs.tensorflow.lite.jvm) { classifier(platform) })
        runtimeOnly(variantOf(libs.javacpp) { classifier(platform) })
    }
}

application {
    mainClass = "org.asmnet.jvm.Run"
}
