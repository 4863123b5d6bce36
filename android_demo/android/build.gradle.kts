import org.asmnet.gradle.CopyAssets

plugins {
    alias(libs.plugins.android.library)
    `maven-publish`
}

base.archivesName = "asmnet-android"

android {
    namespace = "org.asmnet.android"
    compileSdk = libs.versions.compileSdk.get().toInt()
    enableKotlin = false // all of it is Java: apps in Java get no Kotlin library from here

    defaultConfig {
        minSdk = libs.versions.minSdk.get().toInt()
        consumerProguardFiles("consumer-rules.pro")
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_11
        targetCompatibility = JavaVersion.VERSION_11
    }

    androidResources {
        noCompress += "tflite"
    }

    publishing {
        singleVariant("release") {
            withSourcesJar()
        }
    }
}

androidComponents.onVariants { variant ->
    val name = variant.name.replaceFirstChar(Char::uppercase)
    val detector = tasks.register<CopyAssets>("copyDetector$name") {
        files.from(
            "../../models/face_detection_short_range.tflite",
            "../../models/face_detection_yunet.tflite",
            "../../models/LICENSE.mediapipe",
            "../../models/LICENSE.yunet",
        )
    }
    variant.sources.assets?.addGeneratedSourceDirectory(detector, CopyAssets::getFolder)
}

dependencies {
    api(project(":core"))
    implementation(libs.litert)
}

publishing {
    publications.register<MavenPublication>("release") {
        artifactId = "asmnet-android"
        afterEvaluate { from(components["release"]) }
    }
}
