import org.asmnet.gradle.CopyAssets

plugins {
    alias(libs.plugins.android.application) // compiles Kotlin, too
}

android {
    namespace = "org.asmnet.demo"
    compileSdk = libs.versions.compileSdk.get().toInt()

    defaultConfig {
        applicationId = "org.asmnet.demo"
        minSdk = libs.versions.minSdk.get().toInt()
        targetSdk = libs.versions.targetSdk.get().toInt()
        // 1.2.3 is 10203.
        versionCode = version.toString().split(".").fold(0) { code, part -> 100 * code + part.toInt() }
        versionName = version.toString()
        // Phones, and the emulator on a PC.
        ndk.abiFilters += listOf("arm64-v8a", "armeabi-v7a", "x86_64")
    }

    buildTypes {
        release {
            isMinifyEnabled = true
            isShrinkResources = true
            proguardFiles(getDefaultProguardFile("proguard-android-optimize.txt"))
            // A demo: whoever builds it can install it.
            signingConfig = signingConfigs.getByName("debug")
        }
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_11
        targetCompatibility = JavaVersion.VERSION_11
    }

    androidResources {
        noCompress += "tflite"
    }
}

androidComponents.onVariants { variant ->
    val name = variant.name.replaceFirstChar(Char::uppercase)
    val assets = tasks.register<CopyAssets>("copyAssets$name") {
        files.from(
            "../../models/asmnet-spatial-68-160-int8.tflite",
            "../../models/asmnet-spatial-68-112-int8.tflite",
            "../../LICENSE",
            "../../NOTICE",
        )
    }
    variant.sources.assets?.addGeneratedSourceDirectory(assets, CopyAssets::getFolder)
}

dependencies {
    implementation(project(":android"))
}
