#!/bin/sh
# Compile the core and run its tests with a JDK alone: no Gradle, no Android SDK.
set -eu
cd "$(dirname "$0")/core"

JUNIT_VERSION=1.11.4
JUNIT_SHA256=b016ef6b1c3454d6d7c2c88ce081dabf289699686af6622d6e4e2e1b54b4a2fc
JUNIT_NAME=junit-platform-console-standalone
MAVEN=${MAVEN:-https://repo1.maven.org/maven2}
build=../../build/android
junit=$build/$JUNIT_NAME-$JUNIT_VERSION.jar

missing() {
    echo "error: $1" >&2
    exit 2
}

for tool in java javac curl sha256sum; do
    command -v $tool >/dev/null ||
        missing "$tool is not installed; install a JDK of version 11 or later, curl and coreutils (apt install openjdk-17-jdk-headless curl)"
done
mkdir -p $build
if ! echo "$JUNIT_SHA256  $junit" | sha256sum --check --status 2>/dev/null; then
    curl --fail --silent --show-error --location --max-time 120 --output $junit \
        "$MAVEN/org/junit/platform/$JUNIT_NAME/$JUNIT_VERSION/$JUNIT_NAME-$JUNIT_VERSION.jar" ||
        missing "JUnit $JUNIT_VERSION cannot be had from $MAVEN; put $JUNIT_NAME-$JUNIT_VERSION.jar into build/android/"
    echo "$JUNIT_SHA256  $junit" | sha256sum --check --status ||
        missing "$JUNIT_NAME-$JUNIT_VERSION.jar has another SHA-256 than expected; delete it and try again"
fi

rm -rf $build/main $build/test
javac --release 11 -Xlint:all -Werror -encoding UTF-8 -d $build/main src/main/java/org/asmnet/core/*.java
# JUnit's annotations refer to apiguardian's, which its jar leaves out: no such warnings.
javac --release 11 -Xlint:all,-classfile,-processing -Werror -encoding UTF-8 \
    -cp $build/main:$junit -d $build/test src/test/java/org/asmnet/core/*.java
cp -R src/test/resources/. $build/test/
java -Dasmnet.models=../../models -jar $junit execute \
    --class-path $build/main:$build/test --scan-class-path $build/test \
    --disable-banner --fail-if-no-tests --details tree
