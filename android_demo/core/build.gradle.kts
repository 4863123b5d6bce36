plugins {
    `java-library`
    `maven-publish`
}

base.archivesName = "asmnet-core"

java {
    withSourcesJar()
}

tasks.withType<JavaCompile>().configureEach {
    options.release = 11
    options.encoding = "UTF-8"
    options.compilerArgs.add("-Xlint:all,-classfile,-processing")
}

dependencies {
    testImplementation(platform(libs.junit.bom))
    testImplementation(libs.junit.jupiter)
    testRuntimeOnly(libs.junit.launcher)
}

tasks.test {
    useJUnitPlatform()
    val models = layout.projectDirectory.dir("../../models")
    inputs.dir(models)
    systemProperty("asmnet.models", models.asFile.path)
}

publishing {
    publications.register<MavenPublication>("core") {
        artifactId = "asmnet-core"
        from(components["java"])
    }
}
