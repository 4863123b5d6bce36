"""What Maven and npm fetch for the builds without Gradle: names, versions, SHA-256."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

# Copies one artifact out of a repository; needs no project.
MAVEN_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"


class Pin(NamedTuple):
    """One download: `group:artifact:version[:classifier][@extension]` of Maven or `package@version`
    of npm."""

    coordinates: str
    sha256: str
    catalog: str = ""  # the catalog's entry that names the same version, if one does

    @property
    def version(self) -> str:
        """The version alone."""
        if ":" in self.coordinates:
            return self.coordinates.split(":")[2].split("@")[0]
        return self.coordinates.rpartition("@")[2]

    @property
    def file(self) -> str:
        """The name that Maven or npm gives the file."""
        if ":" not in self.coordinates:
            package, _, version = self.coordinates.rpartition("@")
            return f"{package.lstrip('@').replace('/', '-')}-{version}.tgz"
        coordinates, _, extension = self.coordinates.partition("@")
        _group, *names = coordinates.split(":")
        return f"{'-'.join(names)}.{extension or 'jar'}"

    def command(self, folder: Path) -> list[object]:
        """What writes the file into `folder`."""
        if ":" not in self.coordinates:
            return ["npm", "pack", "--silent", "--pack-destination", folder, self.coordinates]
        options = [f"-Dartifact={':'.join(self._parts())}", f"-DoutputDirectory={folder}"]
        return ["mvn", "--batch-mode", "--quiet", MAVEN_COPY, *options]

    def elements(self) -> str:
        """The coordinates in a pom.xml."""
        names = ("groupId", "artifactId", "version", "type", "classifier")
        pairs = zip(names, self._parts(), strict=False)
        return "".join(f"<{name}>{part}</{name}>" for name, part in pairs)

    def _parts(self) -> list[str]:
        coordinates, _, extension = self.coordinates.partition("@")
        group, artifact, version, *classifier = coordinates.split(":")
        return [group, artifact, version, extension or "jar", *classifier]


PINS = {
    # What the sources are compiled against.  The newest one whose class files JDK 17 reads.
    "android": Pin(
        "org.robolectric:android-all:14-robolectric-10818077",
        "6be2218c6a53fe3c57bc22ebdc723edcb7270a8a6f187545708aa5c0ed813977",
    ),
    # What apps may use of API 24, java.* included.
    "api-24": Pin(
        "com.toasttab.android:gummy-bears-api-24:0.5.1@signature",
        "0fa1ec96de1685a61ab8f055ceae6d75883fd4c29aa43ddfd1c86ff6cc42dd49",
    ),
    "tflite": Pin(
        "org.tensorflow:tensorflow-lite:2.16.1@aar",
        "34b065817e294e7dd3569504e8b9454938ceae453b6a459da54d5f6e45d3c94e",
        "tensorflowLite",
    ),
    "tflite-api": Pin(
        "org.tensorflow:tensorflow-lite-api:2.16.1@aar",
        "885b95bc9e47a4aa5cf8e71523aed9b05e397cfef1ea09773f13fea8b649fcee",
        "tensorflowLite",
    ),
    "kotlin": Pin(
        "kotlin-compiler@2.2.10",
        "cec7d5a867deddd2d61d60f2890262cb30b9b9fc7e32cdb33aeaf8abb2bf88cb",
        "kotlin",
    ),
    # bundletool.jar brings D8 under its own name.
    "d8": Pin(
        "node-bundletool@1.0.0",
        "99d529764e2f035876fd18704a45f54831ab014008938961d2e4cd4009bcf984",
    ),
    # Runs the networks in a browser: web_demo.
    "litert-js": Pin(
        "@litertjs/core@2.5.3",
        "a97660833e9e7e1063c95e12016718881240b14f7438728a2f62785e912d30fd",
    ),
    "junit": Pin(
        "org.junit.platform:junit-platform-console-standalone:1.11.4",
        "b016ef6b1c3454d6d7c2c88ce081dabf289699686af6622d6e4e2e1b54b4a2fc",
    ),
    # Mutation testing, and what it needs.
    "pit": Pin(
        "org.pitest:pitest:1.20.3",
        "45d328b5cdd36fcd1c9aef1be3e5e2f8d6a7be30b70576d8e23d85b21df4180e",
    ),
    "pit-entry": Pin(
        "org.pitest:pitest-entry:1.20.3",
        "4e448cb4b744711b02c3c46dc922a3b0c0c14a3658e6e45a9b34526ade4a1acd",
    ),
    "pit-command-line": Pin(
        "org.pitest:pitest-command-line:1.20.3",
        "c3f371dc210c98ca6f40902c57b8eb5f2ca9eadd82492590aca6d54e492d550e",
    ),
    "pit-junit": Pin(
        "org.pitest:pitest-junit5-plugin:1.2.3",
        "d3e2fcc8db5fd52c0c4ac2fe0d937e64da3df39b657093a1581b5fd463f9be64",
    ),
    "commons-text": Pin(
        "org.apache.commons:commons-text:1.13.1",
        "76434bd2dd778ab140d84b3c6ffa40c40fe6219909f5ed1d8b8977c5ae8e50c8",
    ),
    "commons-lang": Pin(
        "org.apache.commons:commons-lang3:3.17.0",
        "6ee731df5c8e5a2976a1ca023b6bb320ea8d3539fbe64c8a1d5cb765127c33b4",
    ),
    # Runs the networks on the JVM.
    "jvm-tflite": Pin(
        "org.bytedeco:tensorflow-lite:2.21.0-1.5.14",
        "d27baafef5f2ed1a74be4baacb07b1d632ca241527b47437130592dd864cc8f5",
        "bytedeco",
    ),
    "jvm-tflite-linux": Pin(
        "org.bytedeco:tensorflow-lite:2.21.0-1.5.14:linux-x86_64",
        "97061333854967aadf2f092681d63af90b804db3800f007cffd24a2901f4bc72",
        "bytedeco",
    ),
    "jvm-javacpp": Pin(
        "org.bytedeco:javacpp:1.5.14",
        "cb95a82ce1c337690436017eb8886597de71c1463dc16a3570f6a96b7c98a82b",
        "javacpp",
    ),
    "jvm-javacpp-linux": Pin(
        "org.bytedeco:javacpp:1.5.14:linux-x86_64",
        "1efab617735a44529bb85daaaefabe46c8686582989c46593c36569e9786fdaa",
        "javacpp",
    ),
}
